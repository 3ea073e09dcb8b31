declare module 'fs-native-extensions' {
  const native: {
    /** false where another open file description holds the lock; it ends when this one is closed */
    tryLock(fd: number): boolean
    unlock(fd: number): void
  }
  export default native
}
