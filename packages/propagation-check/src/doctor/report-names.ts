/** The names that `doctor --report` takes, apart from the reports themselves, which are loaded when they are needed. */
export const doctorReportNames = ['terminal', 'json', 'sarif', 'github'] as const;

export type DoctorReportName = (typeof doctorReportNames)[number];
