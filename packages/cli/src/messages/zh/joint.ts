import type { Translations } from '../translate.js'

/** What parties of a joint job say of each other and of the network. */
export const zhJoint: Translations = {
  '"{}" {}': '“{}”{}',
  '"{}" broke the protocol: {}': '“{}”违反协议：{}',
  '"{}" stopped: {}': '“{}”已停止：{}',
  '"{}" was lost: {}': '与“{}”失去联系：{}',
  '{} about "{}"': '{}（关于“{}”）',
  'an unknown reason': '原因不明',
  'at the address of "{}", {}': '在“{}”的地址上：{}',
  'cannot listen at {} ({})': '无法在 {} 监听（{}）',
  'has not signed this job': '未签署此任务',
  'holds another job': '持有另一份任务',
  'it carries no principal’s signature': '其中没有主体的签名',
  'it cannot be read': '无法读取',
  'it greeted twice': '重复问候',
  'it is not signed by a party of the job': '未由任务的参与方签名',
  'it is out of date: the certificate, or a clock, is more than a day off':
    '已过有效期：证书或某方时钟相差一天以上',
  'it is too large': '过大',
  'it sent a frame of no allowed length': '发来长度不被允许的帧',
  'it sent a message longer than its share': '发来的消息超过应有长度',
  'it sent a message out of its turn': '发来的消息次序不对',
  'it sent more than the protocol has': '发来的消息多于协议所需',
  'it sent no frame': '发来的不是帧',
  'it sent shares before it greeted': '未问候即发送分片',
  'it went on after its end': '结束后仍在发送',
  'not there after {} s: {}': '{} 秒后仍未到场：{}',
  'nothing was heard of it': '没有任何音讯',
  'sent no greeting for this party': '没有向本方问候',
  'speaks another version of the protocol': '使用另一版本的协议',
  'the connection failed': '连接失败',
  'the connection was closed': '连接已关闭',
  'the participants’ protocols do not fit each other': '各方协议互不匹配',
  'the peer’s certificate is refused: {}': '对方证书被拒绝：{}',
  'the protocol talks to nobody': '协议没有通信对象',
  'a certificate was not checked': '有证书未经检查',
  'a protocol failed': '协议执行失败',
  'the session took longer than {} s': '会话超过 {} 秒',
  'the session would take more than {} bytes': '会话的通信量将超过 {} 字节',
  'the session was interrupted': '会话被中断',
  'Ask its operator which version runs there; then every party starts the job again.':
    '请询问其操作人员所用版本；然后各方重新开始任务。',
  'Compare the digests of the job at every party; nothing was shared.':
    '请核对各方任务的摘要；尚未分享任何数据。',
  'Free the port, or listen at another address that the job’s address leads to.':
    '请释放该端口，或在任务中的地址所指向的另一地址监听。',
  'Make a job that allows more, or computes less.': '请制定允许更多通信量或计算更少的任务。',
  'See that every party has the key that the job names, and the right time.':
    '请确认各方持有任务所列密钥，且时钟正确。',
  'See that they run the same job, and that the addresses in it can be reached.':
    '请确认它们运行同一任务，且任务中的地址可达。',
  'See what its terminal says; then every party starts the job again.':
    '请查看其终端信息；然后各方重新开始任务。',
  'See which party is slow, or make a job that allows more time.':
    '请查看哪一方较慢，或制定允许更长时间的任务。',
}
