// A whole Bluesky network on loopback: directory, personal data server, index with search and notifications.
// tests/servers/bluesky.py starts it in .servers/bluesky, reads its one line of JSON, and ends it by closing its input.
const net = require('node:net')
const { createRequire } = require('node:module')

// The servers inside would listen on every address of the machine.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port, ...more) {
  const bare = typeof port === 'number' && typeof more[0] !== 'string'
  return bare ? listen.call(this, port, '127.0.0.1', ...more) : listen.call(this, port, ...more)
}

const said = console.log
console.log = console.error // what the servers say is no part of our line

async function main() {
  const { TestNetwork } = createRequire(process.cwd() + '/')('@atproto/dev-env')
  const network = await TestNetwork.create({ dbPostgresSchema: 'network' })
  said(JSON.stringify({ pds: network.pds.url, bsky: network.bsky.url, secret: 'jwt-secret' }))
}

process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
main().catch((error) => {
  console.error(error)
  process.exit(1)
})
