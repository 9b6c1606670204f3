// A WebSocket server on Node's ws that sends back what comes: node node_echo.js [CERTIFICATE KEY].
// The first line on stdout names its port. Lines on stdin say how connections from now on are treated, lines on stdout
// tell what happened; both are JSON.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const readline = require('readline');
const WebSocket = require('ws');

let treatment = {};
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

function sendInFragments(socket, bytes, size, binary) {
  for (let at = 0; at < bytes.length; at += size) {
    socket.send(bytes.subarray(at, at + size), {binary, fin: at + size >= bytes.length});
  }
}

function sendBack(socket, bytes) {
  const binary = !treatment.text;
  if (treatment.fragment && bytes.length > 0) {
    sendInFragments(socket, bytes, treatment.fragment, binary);
  } else {
    socket.send(bytes, {binary});
  }
  if (treatment.ping) socket.ping(treatment.ping);
}

function leave(socket) {
  if (treatment.close) socket.close(...treatment.close);
  if (treatment.terminate) socket.terminate();
}

function serve(socket, request) {
  const seen = {event: 'closed', messages: 0, bytes: 0, text: 0, pings: 0, pongs: []};
  for (let i = 0; i < (treatment.empty || 0); ++i) socket.send('', {binary: i % 2 === 0});
  if (treatment.source) socket.send(Buffer.alloc(treatment.source, 'abc'));
  socket.on('message', (bytes, isBinary) => {
    seen.messages += 1;
    seen.bytes += bytes.length;
    seen.text += isBinary ? 0 : 1;
    sendBack(socket, bytes);
    leave(socket);
  });
  socket.on('ping', () => { seen.pings += 1; say({event: 'ping'}); });
  socket.on('pong', (bytes) => { seen.pongs.push(bytes.toString()); });
  socket.on('error', (error) => { seen.error = error.message; });
  socket.on('close', (code, reason) => say({...seen, code, reason: reason.toString()}));
  say({event: 'open', headers: request.headers, protocol: socket.protocol, extensions: socket.extensions});
}

const page = (_request, response) => response.end('no tunnel here\n');
const [certificate, key] = process.argv.slice(2);
const server = certificate
  ? https.createServer({cert: fs.readFileSync(certificate), key: fs.readFileSync(key)}, page)
  : http.createServer(page);
new WebSocket.Server({server, maxPayload: 64 << 20, perMessageDeflate: true}).on('connection', serve);
readline.createInterface({input: process.stdin})
  .on('line', (line) => { treatment = JSON.parse(line); say({event: 'ready'}); })
  .on('close', () => process.exit(0));
server.listen(0, '127.0.0.1', () => say({event: 'listening', port: server.address().port}));
