// A child that runs the code it is sent, to see from inside what it can reach. Each frame is `{ code }`; what the code
// returns goes back.
import childProcess from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import vm from 'node:vm'

let input = Buffer.alloc(0)
process.stdin.on('end', () => process.exit())
process.stdin.on('data', chunk => {
  input = Buffer.concat([input, chunk])
  while (input.length >= 5 && input.length >= 5 + input.readUInt32LE(0)) {
    const end = 5 + input.readUInt32LE(0)
    void perform(JSON.parse(input.subarray(5, end).toString()))
    input = input.subarray(end)
  }
})
frame(1, Buffer.from('"ready"'))

async function perform({ code }) {
  const run = vm.compileFunction(code, ['fs', 'net', 'childProcess', 'frame', 'process', 'Buffer'])
  const value = await run(fs, net, childProcess, frame, process, Buffer)
  frame(1, Buffer.from(JSON.stringify(value ?? null)))
}

function frame(kind, body) {
  const header = Buffer.alloc(5)
  header.writeUInt32LE(body.length, 0)
  header[4] = kind
  process.stdout.write(header)
  process.stdout.write(body)
}
