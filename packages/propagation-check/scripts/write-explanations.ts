/** Writes the reports' texts for all drawings to a file, whose diff a person reviews. */
import { writeExplanations } from '../test/rules/render-explanations.ts';

writeExplanations();
