/* telemetry/source/source_common.h - helpers that several sources share. Loop thread only; no state. */
#pragma once

#include <fnmatch.h>

#include "telemetry/source/source.h"

/* Offers an event by the rule that all sources share if they can read again: returns 0 if the intake accepted it, does
 * not want it, or can never store it; -EAGAIN if the source has to offer the same event again later (no room, or the
 * store failed). */
int hf_source_offer(const struct hf_intake *intake, const struct hf_event *event, struct hf_receipt *receipt);

/* Returns the severity that a line states itself: a word like ERROR or WARN near its start, or level=error. 0: none. */
enum hf_severity hf_source_line_severity(struct hf_view line);

/* Parses a line that is a JSON object: its message, level and time, and its plain members as attributes. False: not an
 * object, *event is unchanged. Clears *scratch and puts unescaped texts there. */
bool hf_source_parse_json_line(struct hf_view line, struct hf_event *event, struct hf_buf *scratch);

/* True if `text` matches a glob of `include` (an empty list matches everything) and none of `exclude`. Both lists end
 * with NULL. */
bool hf_source_name_wanted(const char *const *include, const char *const *exclude, const char *text);

/* Copies a list of strings of the policy, because the source may outlive the policy. */
struct hf_source_names {
    char **names; /* ends with NULL */
    size_t n;
};
HF_MUST_USE int hf_source_names_copy(struct hf_source_names *names, const char *const *from);
void hf_source_names_done(struct hf_source_names *names);
