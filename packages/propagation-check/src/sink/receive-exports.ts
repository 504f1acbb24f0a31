import type { ExportRequest, Receiving } from '../source/export-request.ts';
import type { Listener } from '../source/listen.ts';
import { listenOnAll, tlsComplaint } from '../source/otlp-receiver.ts';
import { BodyMemory } from '../source/request-body.ts';
import { groupBy } from '../util/group-by.ts';
import { type Admission, reasonOf } from './admission.ts';
import { type JudgeLoop, now } from './judge-loop.ts';
import { type Address, toUrl } from './read-address.ts';
import type { SinkBooks } from './sink-books.ts';

const mebibyte = 1024 * 1024;
/** The largest export, uncompressed. The Collector's receiver has this limit over HTTP, and 4 MiB over gRPC. */
const mostRequestBytes = 20 * mebibyte;
/** The share of the memory for one export: spans without attributes, each in its own trace, need twelve times the bytes of the export. */
const requestShare = 1 / 16;
/** The limits of all bodies that arrive at one time: in bytes, and as a share of the memory. */
const mostBodyBytes = 128 * mebibyte;
const bodyShare = 1 / 4;
const maxConnections = 500;

export interface ReceivingParts {
  readonly books: SinkBooks;
  readonly admission: Admission;
  readonly loop: JudgeLoop;
  readonly maxBytes: number;
  /** Called with the reason when an export is refused, or a part of it is left out. */
  readonly complain: (message: string) => void;
}

/** The open ports for exports. */
export interface Intake {
  readonly urls: readonly string[];
  /** Stops listening and waits for exports in progress. */
  close(): Promise<void>;
}

/** Listens for exports, and passes them to the judge one after the other. @throws {SourceError} when it cannot listen. */
export async function receiveExports(addresses: readonly Address[], parts: ReceivingParts): Promise<Intake> {
  const receiving = createReceiving(parts);
  const listeners: Listener[] = [];
  const urls: string[] = [];
  const closeListeners = () => Promise.all(listeners.map((listener) => listener.close()));
  try {
    for (const group of groupBy(addresses, ({ host }) => host)) {
      const [{ host }] = group;
      const port = group.map((address) => address.port);
      const opened = await listenOnAll(
        { host, port, maxConnections, option: '--listen [HOST:]PORT' },
        receiving,
        () => parts.complain(tlsComplaint),
      );
      listeners.push(...opened);
      urls.push(...opened.map((listener) => toUrl({ host, port: listener.port })));
    }
  } catch (error) {
    await closeListeners();
    throw error;
  }
  return {
    urls,
    close: async () => {
      await closeListeners();
      // Waits until exports that were accepted earlier are judged.
      await parts.admission.inTurn(async () => {});
    },
  };
}

function createReceiving({ books, admission, loop, maxBytes, complain }: ReceivingParts): Receiving {
  const { judge, exports } = books;
  const take = (request: ExportRequest) => {
    admission.checkRoom();
    const { rejected } = judge.take(request, now(), Date.now());
    loop.judgeSoon();
    exports.received += 1;
    const [first] = rejected;
    if (first !== undefined)
      complain(`an export had spans that are not valid and were left out, the first: ${first.message}`);
    return rejected;
  };
  return {
    limits: {
      maxBytes: Math.min(mostRequestBytes, Math.floor(maxBytes * requestShare)),
      memory: new BodyMemory(Math.min(mostBodyBytes, maxBytes * bodyShare)),
    },
    inTurn: admission.inTurn,
    admit: () => admission.admit(),
    accept: async (request) => (request.signal === 'traces' ? take(request) : []),
    isSentAgain: true,
    onRefusal: (refusal) => {
      exports.refused[reasonOf(refusal)] += 1;
    },
    complain,
  };
}
