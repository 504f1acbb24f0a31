/** Texts about links that a span lacks. `describeDroppedLinks` says which of the two reasons applies. */
export const leftOut = 'left out (by a limit of the SDK, or as their ids are not valid)';
export const keepLinks = 'raise OTEL_SPAN_LINK_COUNT_LIMIT there, or mend the ids, and check again';
