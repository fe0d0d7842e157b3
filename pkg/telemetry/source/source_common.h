/* telemetry/source/source_common.h - helpers that several sources share. Loop thread only; no state. */
#pragma once

#include <fnmatch.h>

#include "telemetry/source/source.h"

/* Offers an event for a source that can read its data again. Returns 0 if the source can continue with the next event,
 * because the intake accepted this event, does not want it, or can never store it. Returns -EAGAIN if the source has to
 * offer this event again later, because there is no room or storing failed. */
int hf_source_offer(const struct hf_intake *intake, const struct hf_event *event, struct hf_receipt *receipt);

/* Returns the severity that the text of a line states, by a word like ERROR or WARN near its start or by a form like
 * level=error. Returns 0 if the line states none. */
enum hf_severity hf_source_line_severity(struct hf_view line);

/* Parses a line that is a JSON object. Sets the body, severity and time of *event from the object's members, and adds
 * the object's other plain members as attributes. Clears *scratch and puts unescaped texts there. Returns false and
 * leaves *event unchanged if the line is not an object. */
bool hf_source_parse_json_line(struct hf_view line, struct hf_event *event, struct hf_buf *scratch);

/* True if `text` matches a glob of `include` (an empty list matches everything) and none of `exclude`. Both lists end
 * with NULL. */
bool hf_source_name_wanted(const char *const *include, const char *const *exclude, const char *text);

/* A copy of a list of strings from the policy, which a source needs because it may outlive the policy. */
struct hf_source_names {
    char **names; /* ends with NULL */
    size_t n;
};
HF_MUST_USE int hf_source_names_copy(struct hf_source_names *names, const char *const *from);
void hf_source_names_done(struct hf_source_names *names);
