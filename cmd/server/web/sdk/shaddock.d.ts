/** The numbers of `ShaddockError.code`: above 0 from the server (games add their own), below 0 from this client. */
export const Code: Readonly<{
  badRequest: 400
  unauthenticated: 401
  refused: 403
  noRoute: 404
  timeout: 408
  conflict: 409
  limited: 429
  internal: 500
  unavailable: 503
  /** The connection ended before the answer: the request may have been handled, or not. */
  lost: -1
  /** The client is closed: nothing was sent. */
  closed: -2
  /** The caller's signal. */
  aborted: -3
  /** More requests wait for the connection than `maxWaiting`. */
  busy: -4
  /** It does not fit into a package. */
  tooBig: -5
  /** The other side does not speak the protocol. */
  protocol: -6
  /** The answer's body is not what the codec expects. */
  decode: -7
}>

/** The numbers of `Ending.code` by name: `Reason.kicked`, `Reason.replaced`, `Reason.shutdown`, … */
export const Reason: Readonly<Record<string, number>>

/** What a failed request, or a failed `connect`, rejects with. */
export class ShaddockError extends Error {
  constructor(code: number, msg: string, more?: { route?: string; body?: unknown; ending?: Ending; cause?: unknown })
  /** One of `Code`, or a code of the game. */
  readonly code: number
  /** The text for the player; the same as `message`. */
  readonly msg: string
  readonly route?: string
  /** The whole body of the error answer; games may put more into it. */
  readonly body?: unknown
  /** How the connection ended, when that is the cause. */
  readonly ending?: Ending
  /** Whether the same request may well succeed a little later. */
  readonly temporary: boolean
}

/** How a connection ended. */
export interface Ending {
  /** One of `Reason`. */
  readonly code: number
  /** The name of the code, for programs and logs. */
  readonly name: string
  /** For the player. */
  readonly text: string
  /** Whether the client connects again by itself. */
  readonly retry: boolean
  /** The WebSocket close code. */
  readonly ws: number
  /** Whether the server said so in a kick, rather than just closing. */
  readonly kicked?: boolean
  /** The code of the handshake response, when that refused us. */
  readonly handshake?: number
  readonly cause?: unknown
}

/**
 * - `idle`: `connect` was not called yet
 * - `connecting`: dialling
 * - `handshaking`: the network is there, the server has not welcomed us yet
 * - `restoring`: connected; the `onOpen` hooks put the session back
 * - `open`: all works
 * - `waiting`: the connection ended, the next attempt is at `retryAt`
 * - `closed`: it ended for good; `connect` starts over
 */
export type State = 'idle' | 'connecting' | 'handshaking' | 'restoring' | 'open' | 'waiting' | 'closed'

/** A moment in the life of a client: immutable, replaced by every change. */
export interface Status {
  readonly state: State
  /** Failures in a row so far. */
  readonly attempt: number
  /** Why the last connection ended; in `waiting` and `closed`. */
  readonly ending?: Ending
  /** When the next attempt begins, as Date.now() counts; in `waiting`. */
  readonly retryAt?: number
  /** What the server said; in `restoring` and `open`. */
  readonly welcome?: Welcome
}

/** The server's handshake response. */
export interface Welcome {
  readonly code: number
  readonly sys?: {
    /** Seconds between heartbeats. */
    readonly heartbeat?: number
    /** Unix seconds. */
    readonly servertime?: number
    readonly serializer?: string
    readonly [more: string]: unknown
  }
  /** What the server's validator returned. */
  readonly user?: any
}

/** How values become bodies and back. Throwing from `decode` fails that one message. */
export interface Codec {
  readonly name: string
  encode(route: string, kind: 'request' | 'notify', value: unknown): Uint8Array
  /** `bytes` is only valid during the call. */
  decode(route: string, kind: 'response' | 'push', bytes: Uint8Array): unknown
}

/** JSON, the default. An empty body is `undefined`; no body to send is `{}`. */
export const json: Codec

/** Bytes as they are. */
export const raw: Codec

export interface Options {
  /** A WebSocket class where there is no global one: that of the package `ws`. */
  WebSocket?: any
  /** Default: `json`. */
  codec?: Codec
  /** Milliseconds until a request fails with `Code.timeout`, counted from the call. Default 10,000. */
  timeout?: number
  /** Whether requests whose connection ended before the answer are sent again on the next. Only for requests that may be handled twice. Default false. */
  resend?: boolean
  /** How many requests may wait for a connection; more fail with `Code.busy`. Default 256. */
  maxWaiting?: number
  /** Milliseconds from dialling to the end of the handshake. Default 10,000. */
  connectTimeout?: number
  /** Pauses in milliseconds: `base` (500) doubles up to `max` (20,000), half of it by chance. `attempts` (Infinity): failures in a row that are borne. false: never connect again. Otherwise a client also leaves a server that stops by itself, when that says so (`sys.goaway`) and no answer is on its way; with a `url` in that push it tries there first. */
  reconnect?: false | { base?: number; max?: number; attempts?: number; random?: () => number }
  /** `user` of the handshake, for the server's validator: a value, or a function that is asked before each handshake, for tokens that expire. */
  user?: unknown | (() => unknown | Promise<unknown>)
  /** Replaces members of `sys` in the handshake, such as `type` and `version` for servers that insist on some. */
  sys?: Record<string, unknown>
  /** Gets errors that belong to no call: a handler that threw, a push that cannot be decoded. Default: console.error. */
  onError?: (err: unknown) => void
}

export interface RequestOptions {
  /** Milliseconds; Infinity waits for the connection's end. */
  timeout?: number
  signal?: AbortSignal
  resend?: boolean
}

/** One connection, as `onOpen` hooks see it. */
export interface Session {
  readonly welcome: Welcome
  /** Whether this client was open before: there is something to put back. */
  readonly resumed: boolean
  /** Fails with `Code.lost` once this connection has ended. */
  request<T = any>(route: string, body?: unknown, options?: RequestOptions): Promise<T>
  notify(route: string, body?: unknown): boolean
}

/**
 * A connection that comes back. Events that concern one call reject its promise;
 * what concerns the connection is in `status`. Bodies are plain values, or
 * Uint8Array for bytes that are sent as they are.
 */
export class Client {
  /** `url` may be relative to the page ("/nano"), and http(s) means ws(s). */
  constructor(url: string | URL, options?: Options)

  readonly url: string
  readonly status: Status
  /** `status.state`. */
  readonly state: State
  /** `status.welcome`. */
  readonly welcome: Welcome | undefined
  /** Requests without an answer. */
  readonly pending: number

  /**
   * Connects, or waits for the connection that is being made. Resolves when it
   * is `open`, however many attempts that takes; rejects when it is `closed`.
   */
  connect(): Promise<Welcome>

  /** In `waiting`: begins the next attempt at once. The browser's `online` event does the same. */
  retryNow(): void

  /** Ends it for good. Requests without an answer fail. */
  close(text?: string): void

  /**
   * Sends a request; rejects with a ShaddockError. When the client is not `open`
   * the request waits, in order, for as long as its timeout lets it. Inside of an
   * `onOpen` hook use the hook's session: `open` comes only after the hooks.
   */
  request<T = any>(route: string, body?: unknown, options?: RequestOptions): Promise<T>

  /**
   * Sends what wants no answer. False, and nothing is sent, when the client is
   * not `open` or more than 1 MiB waits for the network.
   */
  notify(route: string, body?: unknown): boolean

  /**
   * Calls `handler` for each push of a route; '*' is every route. Pushes and
   * answers are seen in the order in which the server sent them: what awaits an
   * answer has run before the next push is handled. Returns the way to stop.
   */
  on<T = any>(route: string, handler: (body: T, route: string) => void): () => void

  /** Ends what `on` began: one handler, or all of the route. */
  off(route: string, handler?: (body: any, route: string) => void): void

  /**
   * Runs `hook` on every new connection, before anything else may use it: the
   * place to log in and to join rooms again. Hooks run one after another. When
   * one rejects, the connection ends, and is tried again if the error is temporary.
   */
  onOpen(hook: (session: Session) => unknown): () => void

  /** Calls `handler` when the server ends the connection with a kick. `why.retry` says whether the client comes back. */
  onKick(handler: (why: Ending) => void): () => void

  /** Calls `watcher` now and after every change of `status`. */
  watch(watcher: (status: Status) => void): () => void
}
