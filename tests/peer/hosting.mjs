// How the JavaScript peers are hosted: HTTP and gRPC on free ports, until their input ends.

import { once } from 'node:events';
import { promisify } from 'node:util';

/** Serve an Express app and a gRPC server; `build` gets the addresses of both before the first request. */
export async function serve(app, grpcServer, credentials, build) {
  const http = app.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const base = `http://127.0.0.1:${http.address().port}`;
  const port = await promisify(grpcServer.bindAsync.bind(grpcServer))('127.0.0.1:0', credentials);
  build(base, `127.0.0.1:${port}`);
  console.log(base);
  process.stdin.resume();
  await once(process.stdin, 'end');
  process.exit(0);
}
