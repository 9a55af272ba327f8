/* What the commands of `monitor capture` share. */
#ifndef POSTERN_CLI_CAPTURE_H
#define POSTERN_CLI_CAPTURE_H

#include "cli/exec.h"

/* The capture's settings and counts; false with an error said. */
bool capture_find(struct exec_call *c, const char *name, struct dpm_capture_info *info);
/* Calls `each` for every packet in the buffer until it returns false; false with an error said. */
bool capture_each(struct exec_call *c, const char *name,
	bool (*each)(void *ctx, const struct dp_capture_packet *head, const uint8_t *bytes), void *ctx);

/* Formatters. */
void show_capture_format(struct out *o, const struct dpm_capture_info *info);
void show_capture_parameter_format(struct out *o, const struct dpm_capture_info *info);
void show_capture_statistics_format(struct out *o, const struct dp_capture_count *count);
enum capture_detail { CAPTURE_BRIEF, CAPTURE_DETAILED, CAPTURE_DUMP };
void show_capture_packet_format(struct out *o, const struct dpm_capture_info *info, const struct dp_capture_packet *head,
	const uint8_t *bytes, enum capture_detail detail);

#endif
