import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

type Write = (writer: BinaryWriter) => BinaryWriter;

function message(...fields: readonly Write[]): Uint8Array {
  return fields.reduce((writer, write) => write(writer), new BinaryWriter()).finish();
}

const bytes =
  (field: number, value: Uint8Array): Write =>
  (writer) =>
    writer.tag(field, WireType.LengthDelimited).bytes(value);
const text = (field: number, value: string) => bytes(field, Buffer.from(value));
const time =
  (field: number): Write =>
  (writer) =>
    writer.tag(field, WireType.Bit64).fixed64(1795401497712471882n);

/** Encodes an export request with one resource and scope. */
function request(...items: readonly Uint8Array[]): Uint8Array {
  const attribute = message(text(1, 'service.name'), bytes(2, message(text(1, 'web'))));
  const scope = message(bytes(1, message(text(1, 'lib'))), ...items.map((item) => bytes(2, item)));
  return message(bytes(1, message(bytes(1, message(bytes(1, attribute))), bytes(2, scope))));
}

const point = message(time(2), time(3), (writer) => writer.tag(4, WireType.Bit64).double(1.5));
const sum = message(bytes(1, point), (writer) => writer.tag(2, WireType.Varint).int32(2));

/** Its first metric has a name as long as a trace id and a description as long as a span id. */
export const metricsRequest = request(
  message(text(1, 'http.server.time'), text(2, 'measured'), text(3, 's'), bytes(7, sum)),
  message(text(1, 'process.cpu.utilization'), text(3, '1'), bytes(5, message(bytes(1, point)))),
);

export const logsRequest = request(
  message(
    time(1),
    (writer) => writer.tag(2, WireType.Varint).int32(9),
    text(3, 'INFO'),
    bytes(5, message(text(1, 'listening'))),
    time(11),
  ),
  message(bytes(5, message(text(1, 'no time'))), time(11)),
);
