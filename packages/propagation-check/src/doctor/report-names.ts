/** The names that `doctor --report` takes, in a module of their own: the reports are loaded when they are needed. */
export const doctorReportNames = ['terminal', 'json', 'sarif', 'github'] as const;

export type DoctorReportName = (typeof doctorReportNames)[number];
