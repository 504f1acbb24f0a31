import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { guessCause, judgeDrawing } from '../rules/judge-drawing.ts';

const tool = 'mcp.method.name=tools/call gen_ai.tool.name=get_weather';
const post = 'http.request.method=POST http.response.status_code=200';
const http = {
  client: `agent CLIENT "POST" 12..88 ${post} url.full=http://tools:8080/mcp`,
  server: `tools SERVER "POST /mcp" 20..80 ${post} url.path=/mcp`,
};

function draw(from: number, to: number, id: number): string {
  return `${from}..${to} ${tool} jsonrpc.request.id="${id}"`;
}

const whole = `trace 1
  agent INTERNAL "invoke_agent" 0..100
    agent CLIENT "tools/call get_weather" ${draw(10, 90, 1)}
      tools SERVER "tools/call get_weather" ${draw(30, 70, 1)}
`;

describe('calls of MCP', () => {
  it('are an edge with a protocol of its own', () => {
    assert.deepEqual(checkTraces(readDrawing(whole).spans).edges, [
      { client: 'agent', server: 'tools', protocol: 'mcp', calls: 1, broken: 0 },
    ]);
  });

  it('are judged beside the HTTP requests that carry them', () => {
    const { edges, findings } = checkTraces(
      readDrawing(`trace 1
  agent INTERNAL "invoke_agent" 0..100
    agent CLIENT "tools/call get_weather" ${draw(10, 90, 1)}
      ${http.client}
        ${http.server}
      tools SERVER "tools/call get_weather" ${draw(30, 70, 1)}
`).spans,
    );
    assert.deepEqual(findings, []);
    assert.deepEqual(edges.map(({ protocol, calls }) => `${protocol} ${calls}`).sort(), ['http 1', 'mcp 1']);
  });

  it('are broken on their own if HTTP is whole, and no proxy is said to strip headers', () => {
    const drawing = `expect agent -> tools
trace 1
  agent INTERNAL "invoke_agent" 0..100
    agent CLIENT "tools/call get_weather" ${draw(10, 90, 1)}
      ${http.client}
        ${http.server}
trace 2
  tools SERVER "tools/call get_weather" ${draw(30, 70, 1)}
`;
    assert.deepEqual(judgeDrawing(drawing), ['error split-trace agent -> tools 1']);
    const { spans, expectation } = readDrawing(drawing);
    const { edges, findings } = checkTraces(spans, { expectation });
    assert.deepEqual(edges.map(({ protocol, broken }) => `${protocol} ${broken}`).sort(), [
      'http 0',
      'mcp 1',
    ]);
    assert.equal(findings[0]?.candidates?.[0], 'header-not-sent');
    assert.match(findings[0]?.fix ?? '', /^if header-not-sent: .*params\._meta/);
    assert.match(findings[0]?.decide?.[0] ?? '', /tap --client agent --server tools/);
  });

  it('are whole if only HTTP carries the context', () => {
    const drawing = `expect agent -> tools
trace 1
  agent INTERNAL "invoke_agent" 0..100
    agent CLIENT "tools/call get_weather" ${draw(10, 90, 1)}
      ${http.client}
        ${http.server}
          tools SERVER "tools/call get_weather" ${draw(30, 70, 1)}
`;
    assert.deepEqual(judgeDrawing(drawing), []);
  });

  it('do not report their HTTP requests if only the callee records those', () => {
    const drawing = `expect agent -> tools
${whole}trace 2
  ${http.server}
trace 3
  tools SERVER "DELETE /mcp" 200..210 http.request.method=DELETE http.response.status_code=200 url.path=/mcp
`;
    assert.deepEqual(judgeDrawing(drawing), []);
  });

  it('do not hide a broken HTTP request', () => {
    const { spans, expectation } = readDrawing(`expect agent -> tools
trace 1
  agent INTERNAL "invoke_agent" 0..100
    agent CLIENT "tools/call get_weather" ${draw(10, 90, 1)}
      ${http.client}
      tools SERVER "tools/call get_weather" ${draw(30, 70, 1)}
trace 2
  ${http.server}
`);
    const { edges, findings } = checkTraces(spans, { expectation });
    assert.deepEqual(
      findings.map(({ id }) => id),
      ['split-trace'],
    );
    assert.deepEqual(edges.map(({ protocol, broken }) => `${protocol} ${broken}`).sort(), [
      'http 1',
      'mcp 0',
    ]);
  });

  it('pair up with HTTP requests at a service without MCP instrumentation, if the edge is expected', () => {
    const spans = `trace 1
  agent INTERNAL "invoke_agent" 0..100
    agent CLIENT "tools/call get_weather" ${draw(10, 90, 1)}
trace 2
  ${http.server}
`;
    assert.deepEqual(judgeDrawing(spans), []);
    assert.deepEqual(judgeDrawing(`expect agent -> tools\n${spans}`), ['error split-trace agent -> tools 1']);
    assert.equal(guessCause(`expect agent -> tools\n${spans}`), 'server-not-instrumented');
    assert.deepEqual(judgeDrawing(`expect agent -> tools\n${spans.replaceAll('POST', 'GET')}`), [
      'error missing-call agent -> tools 0',
    ]);
  });

  it('are answered unless the CLIENT span says that they were not', () => {
    const drawing = (extra: string): string => `expect agent -> tools
trace 1
  agent INTERNAL "invoke_agent" 0..100
    agent CLIENT "tools/call get_weather" ${draw(10, 90, 1)} ${extra}
trace 2
  tools INTERNAL "start" 0..5
`;
    const answered = ['error missing-server agent -> tools 1'];
    const unreached = ['warning missing-server agent -> tools 1'];
    assert.deepEqual(judgeDrawing(drawing('')), answered);
    assert.deepEqual(judgeDrawing(drawing('status:ERROR rpc.response.status_code="-32602"')), answered);
    for (const code of ['-32000', '-32001']) {
      assert.deepEqual(judgeDrawing(drawing(`status:ERROR rpc.response.status_code="${code}"`)), unreached);
    }
    assert.deepEqual(judgeDrawing(drawing('status:ERROR')), unreached);
  });

  it('pair up by the id of the request', () => {
    const spans = readDrawing(`trace 1
  agent CLIENT "tools/call get_weather" ${draw(10, 90, 1)}
trace 2
  agent CLIENT "tools/call get_weather" ${draw(12, 92, 2)}
trace 3
  tools SERVER "tools/call get_weather" ${draw(30, 70, 2)}
trace 4
  tools SERVER "tools/call get_weather" ${draw(31, 71, 1)}
`).spans;
    const [finding] = checkTraces(spans).findings;
    assert.deepEqual(
      finding?.evidence.map(({ traceId, server }) => [traceId.at(-1), server?.traceId.at(-1)]).sort(),
      [
        ['1', '4'],
        ['2', '3'],
      ],
    );
  });
});
