import { HTTPParser } from 'http-parser-js';
import type { HeaderField } from '../headers/evidence.ts';
import { readRawHeaders } from '../headers/propagation-header.ts';
import type { Ordered } from './order-segments.ts';

/** Where a message begins, in the numbers of `Ordered`. */
interface Place {
  readonly sequence: number;
  readonly acknowledged: number;
}

/** The head of a request or answer. `time` is the arrival of its last byte. */
export interface Message {
  readonly time: number;
  /** Null if the message does not begin at the start of a segment. */
  readonly start: Place | null;
  /** Whether bytes before the message are missing in the capture; messages may be missing too. */
  readonly isAfterGap: boolean;
  readonly protocolVersion: '1.0' | '1.1';
  /** Set for requests. */
  readonly method: string;
  /** Set for requests. */
  readonly url: string;
  /** Set for answers. */
  readonly status: number;
  readonly fields: readonly HeaderField[];
}

export interface MessageHandlers {
  /** @returns Whether the message has no body, whatever its head says. */
  readonly onHead: (message: Message) => boolean;
  readonly onEnd: (time: number) => void;
}

type Parser = InstanceType<typeof HTTPParser>;

/** The beginning of a message, whole and cut short. */
const starts = {
  REQUEST: {
    whole: /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT) [^\s]/,
    part: /^[A-Z]{1,7}(?: |$)/,
  },
  RESPONSE: { whole: /^HTTP\/1\.[01] \d{3}/, part: /^H(?:TTP\/1\..*|TTP\/1|TTP\/|TTP|TT|T)?$/s },
} as const;
/** At least as long as the patterns need. */
const longestStart = 16;

const nothing = Buffer.alloc(0);

/** Reads the messages of one direction of a connection. Skips other bytes until a message begins. */
export class MessageReader {
  readonly #side: keyof typeof starts;
  readonly #handlers: MessageHandlers;
  #parser: Parser | null = null;
  #begun = nothing;
  #time = 0;
  #start: Place | null = null;
  #isBetweenMessages = true;
  #isAfterGap = false;

  constructor(side: keyof typeof starts, handlers: MessageHandlers) {
    this.#side = side;
    this.#handlers = handlers;
  }

  read({ time, sequence, acknowledged, bytes, isAfterGap }: Ordered): void {
    this.#time = time;
    if (isAfterGap) {
      this.#parser = null;
      this.#begun = nothing;
      this.#isAfterGap = true;
    }
    const rest = this.#parser === null ? this.#findStart(bytes) : bytes;
    if (rest.length === 0) return;
    if (this.#parser === null || this.#isBetweenMessages) {
      const isStart = starts[this.#side].whole.test(rest.toString('latin1', 0, longestStart));
      this.#start = isStart ? { sequence: sequence + bytes.length - rest.length, acknowledged } : null;
    }
    this.#isBetweenMessages = false;
    this.#parser ??= this.#startParser();
    // After an error or a change of protocol, the remaining bytes are not HTTP.
    if (typeof this.#parser.execute(rest) !== 'number') this.#parser = null;
  }

  /** The bytes from the start of a message; empty if none begins here or more bytes are needed to decide. */
  #findStart(bytes: Buffer): Buffer {
    const { whole, part } = starts[this.#side];
    const begun = Buffer.concat([this.#begun, bytes]);
    const text = begun.toString('latin1', 0, longestStart);
    const isStart = whole.test(text);
    this.#begun = !isStart && begun.length < longestStart && part.test(text) ? begun : nothing;
    return isStart ? begun : nothing;
  }

  /** An answer without a length ends with its connection. */
  end(time: number): void {
    this.#time = time;
    this.#parser?.finish();
    this.#parser = null;
  }

  #startParser(): Parser {
    const parser = new HTTPParser(this.#side);
    parser[HTTPParser.kOnHeadersComplete] = (info) => {
      const { versionMinor, headers, method, url, statusCode, upgrade } = info;
      const message: Message = {
        time: this.#time,
        start: this.#start,
        isAfterGap: this.#isAfterGap,
        protocolVersion: versionMinor === 0 ? '1.0' : '1.1',
        method: HTTPParser.methods[method] ?? '',
        url,
        status: statusCode,
        fields: readRawHeaders(headers),
      };
      const isWithoutBody = this.#handlers.onHead(message);
      return upgrade && this.#side === 'RESPONSE' ? 2 : isWithoutBody ? 1 : 0;
    };
    parser[HTTPParser.kOnMessageComplete] = () => {
      this.#start = null;
      this.#isBetweenMessages = true;
      this.#handlers.onEnd(this.#time);
    };
    return parser;
  }
}
