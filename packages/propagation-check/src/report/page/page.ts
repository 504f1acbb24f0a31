import type { PageData, PageSpan, PageTrace } from './page-data.ts';

/**
 * The script of the HTML report. Its source text is put into the page and runs there alone, so that it can use nothing outside
 * itself. It makes the traces open: a list and a waterfall, of which only the rows in sight are in the document.
 */
export function runPage(): void {
  const rowHeight = 26;
  /** Rows beyond the edge that are there before they are scrolled into sight. */
  const spareRows = 8;

  const find = <E extends HTMLElement>(id: string, kind: new () => E): E => {
    const element = document.getElementById(id);
    if (!(element instanceof kind)) throw new Error(`#${id} is not in the page`);
    return element;
  };
  const make = (tag: string, className: string, text = ''): HTMLElement => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  };

  const { traces, services, kinds }: PageData = JSON.parse(find('data', HTMLScriptElement).text);
  const search = find('search', HTMLInputElement);
  const onlyBroken = find('only-broken', HTMLInputElement);
  const count = find('trace-count', HTMLElement);
  const heading = find('trace-heading', HTMLElement);
  const details = find('span-details', HTMLElement);

  interface Rows<Row> {
    show(rows: readonly Row[], selected: number): void;
    select(index: number): void;
  }

  /** A list box of any length. Arrow keys, Page Up and Down, Home and End move in it. */
  const makeList = <Row>(
    box: HTMLElement,
    write: (row: Row, option: HTMLElement) => void,
    open: (row: Row) => void,
  ): Rows<Row> => {
    const space = make('div', 'space');
    box.replaceChildren(space);
    let rows: readonly Row[] = [];
    let selected = 0;

    const draw = (): void => {
      const first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - spareRows);
      const last = Math.min(
        rows.length,
        Math.ceil((box.scrollTop + box.clientHeight) / rowHeight) + spareRows,
      );
      const drawn: HTMLElement[] = [];
      for (let index = first; index < last; index += 1) {
        const row = rows[index];
        if (row === undefined) continue;
        const option = make('div', 'row');
        option.id = `${box.id}-${index}`;
        option.setAttribute('role', 'option');
        option.setAttribute('aria-posinset', String(index + 1));
        option.setAttribute('aria-setsize', String(rows.length));
        option.setAttribute('aria-selected', String(index === selected));
        option.style.top = `${index * rowHeight}px`;
        write(row, option);
        drawn.push(option);
      }
      space.replaceChildren(...drawn);
      if (rows.length === 0) box.removeAttribute('aria-activedescendant');
      else box.setAttribute('aria-activedescendant', `${box.id}-${selected}`);
    };
    const select = (index: number): void => {
      selected = Math.min(Math.max(index, 0), rows.length - 1);
      const row = rows[selected];
      const top = selected * rowHeight;
      if (top < box.scrollTop) box.scrollTop = top;
      if (top + rowHeight > box.scrollTop + box.clientHeight)
        box.scrollTop = top + rowHeight - box.clientHeight;
      draw();
      if (row !== undefined) open(row);
    };
    const steps: Readonly<Record<string, () => number>> = {
      ArrowDown: () => selected + 1,
      ArrowUp: () => selected - 1,
      PageDown: () => selected + Math.floor(box.clientHeight / rowHeight),
      PageUp: () => selected - Math.floor(box.clientHeight / rowHeight),
      Home: () => 0,
      End: () => rows.length - 1,
    };
    box.addEventListener('scroll', draw, { passive: true });
    box.addEventListener('keydown', (event) => {
      const step = steps[event.key];
      if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      select(step());
    });
    box.addEventListener('click', (event) => {
      const option = event.target instanceof Element ? event.target.closest('[role=option]') : null;
      if (option !== null) select(Number(option.getAttribute('aria-posinset')) - 1);
    });
    new ResizeObserver(draw).observe(box);
    return {
      show: (next, index) => {
        rows = next;
        space.style.height = `${rows.length * rowHeight}px`;
        box.style.height = `${Math.min(rows.length, mostRows) * rowHeight + 4}px`;
        box.scrollTop = 0;
        select(index);
      },
      select,
    };
  };

  /** Higher ones scroll. */
  const mostRows = 16;
  const writeCount = (spans: readonly PageSpan[]): string =>
    `${spans.length} span${spans.length === 1 ? '' : 's'}`;
  const writeMs = (ms: number): string =>
    ms >= 1_000 ? `${(ms / 1_000).toFixed(2)} s` : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
  let shown: PageTrace | undefined;

  const writeSpan = (span: PageSpan, option: HTMLElement): void => {
    const [, depth, service, kind, name, startMs, durationMs, , finding, isError] = span;
    const label = make('span', 'label');
    label.style.paddingInlineStart = `${Math.min(depth, 24) * 12}px`;
    label.append(
      make('span', `dot service-${service % 8}`),
      make('b', '', services[service] ?? ''),
      ` ${kinds[kind] ?? ''} ${name}`,
    );
    if (finding !== '') label.append(make('span', 'flag', `✗ ${finding}`));
    else if (isError === 1) label.append(make('span', 'failed', 'error'));
    const track = make('span', 'track');
    const bar = make('span', `bar service-${service % 8}`);
    const whole = shown === undefined || shown.durationMs === 0 ? 1 : shown.durationMs;
    bar.style.left = `${(startMs / whole) * 100}%`;
    bar.style.width = `${(durationMs / whole) * 100}%`;
    track.append(bar);
    option.append(label, track, make('span', 'time', writeMs(durationMs)));
  };

  const openSpan = (span: PageSpan): void => {
    const [spanId, , service, kind, name, startMs, durationMs, parentId, finding, , notes] = span;
    const rows = [
      ['span', spanId],
      ['parent', parentId === '' ? 'none: it is a root' : parentId],
      ['service', services[service] ?? ''],
      ['kind, name', `${kinds[kind] ?? ''} ${name}`],
      ['start, duration', `+${writeMs(startMs)}, ${writeMs(durationMs)}`],
      ...(finding === '' ? [] : [['finding', finding]]),
      ...notes.map((note) => ['', note]),
    ];
    details.replaceChildren(
      ...rows.flatMap(([term = '', text = '']) => [make('dt', '', term), make('dd', '', text)]),
    );
  };

  const waterfall = makeList(find('waterfall', HTMLElement), writeSpan, openSpan);

  const openTrace = (trace: PageTrace): void => {
    if (shown === trace) return;
    shown = trace;
    heading.textContent = `Trace ${trace.id}, ${writeCount(trace.spans)}, ${writeMs(trace.durationMs)}`;
    const first = trace.spans.findIndex((span) => span[8] !== '');
    waterfall.show(trace.spans, Math.max(0, first));
  };

  const writeTrace = (trace: PageTrace, option: HTMLElement): void => {
    const [root] = trace.spans;
    const name = root === undefined ? '' : `${services[root[2]] ?? ''} ${root[4]}`;
    option.append(
      make('span', trace.isBroken ? 'flag' : 'whole', trace.isBroken ? '✗' : '✓'),
      make('span', 'label', name),
      make('span', 'time', `${writeCount(trace.spans)}, ${writeMs(trace.durationMs)}`),
    );
    option.title = trace.id;
  };

  const list = makeList(find('trace-list', HTMLElement), writeTrace, openTrace);

  const matches = (trace: PageTrace, words: readonly string[]): boolean =>
    words.every(
      (word) =>
        trace.id.includes(word) ||
        trace.spans.some(
          ([spanId, , service, , name]) =>
            spanId === word ||
            name.toLowerCase().includes(word) ||
            (services[service] ?? '').toLowerCase().includes(word),
        ),
    );
  const filter = (): void => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = traces.filter((trace) => (!onlyBroken.checked || trace.isBroken) && matches(trace, words));
    count.textContent = `${found.length} of ${traces.length} ${traces.length === 1 ? 'trace' : 'traces'}`;
    list.show(found, 0);
  };
  search.addEventListener('input', filter);
  onlyBroken.addEventListener('change', filter);

  /** A link to a span, `#TRACE-SPAN`, opens it. */
  const follow = (): void => {
    const [, traceId, spanId] = /^#([0-9a-f]{16,32})-([0-9a-f]{16})$/.exec(location.hash) ?? [];
    const trace = traces.find(({ id }) => id === traceId);
    if (trace === undefined) return;
    search.value = '';
    onlyBroken.checked = false;
    filter();
    list.select(traces.indexOf(trace));
    waterfall.select(trace.spans.findIndex(([id]) => id === spanId));
    find('waterfall', HTMLElement).focus();
  };
  addEventListener('hashchange', follow);
  onlyBroken.checked = traces.some((trace) => trace.isBroken);
  filter();
  follow();
}
