/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/source_common.h - helpers that several sources share. Threads: loop thread only. The helpers have no
 * state. */
#pragma once

#include <fnmatch.h>

#include "telemetry/source/source.h"

/* Offers an event of a source that can read its data again. Returns 0 if the source must continue with the next event,
 * because the intake accepted this event, filtered it, or can never store it. Returns -EAGAIN if the source must offer
 * this event again later, because the intake has no room or could not store the event. */
int hf_source_offer(const struct hf_intake *intake, const struct hf_event *event, struct hf_receipt *receipt);

/* Returns the severity that a log line states. There are three forms: a word such as ERROR or WARN near the start of
 * the line; a pair such as level=error; the start of a line of klog, such as E1120 08:00:00. Returns 0 if the line
 * states no severity. */
enum hf_severity hf_source_line_severity(struct hf_view line);

enum { HF_SOURCE_MAX_VALUE = 16 << 10 }; /* maximum size in bytes of an attribute's value from a log line */

/* Parses a log line that is a JSON object. Sets the body, severity and time of *event from the object's members: the
 * first message, the first level with a name, and the first time that is RFC 3339 or a number since 1970 (in s, ms, us
 * or ns, by its size). All other members become attributes; if the value of a member is not a string, the attribute
 * holds the value's JSON text. If no member holds a message, or if a member has no room (more than
 * HF_EVENT_MAX_ATTRIBUTES, a name of more than HF_INGEST_MAX_TEXT bytes, a value of more than HF_SOURCE_MAX_VALUE, or
 * U+0000 in it), the body is the whole line, so that nothing is lost. Clears *scratch and puts unescaped texts there.
 * Returns false and leaves *event unchanged if the line is not a JSON object or has more than 64 members, or if memory
 * runs out. */
bool hf_source_parse_json_line(struct hf_view line, struct hf_event *event, struct hf_buf *scratch);

/* Returns true if `text` matches a glob of `include` (an empty list matches everything) and matches no glob of
 * `exclude`. Both lists end with NULL. */
bool hf_source_name_wanted(const char *const *include, const char *const *exclude, const char *text);

/* A copy of a list of strings from the policy, which a source needs because it may outlive the policy. */
struct hf_source_names {
    char **names; /* array of n strings; NULL ends the array */
    size_t n;
};
HF_MUST_USE int hf_source_names_copy(struct hf_source_names *names, const char *const *from);
void hf_source_names_done(struct hf_source_names *names);

/* Returns true if the host of the URL is an address of this node: loopback, or an address of one of its interfaces. The
 * only name for which it returns true is localhost. */
bool hf_source_is_own_url(const char *url);
