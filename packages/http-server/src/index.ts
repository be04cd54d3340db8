/** `@cairn/http-server`: HTTP/1.1 over TCP and TLS for handlers that answer plain records. Node only. */

export { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts'
export { defaultHttpLimits, type HttpLimits } from './limits.ts'
export type {
  HeaderFields,
  HttpHandler,
  HttpRequest,
  HttpResponse,
  Refusal,
} from './message.ts'
