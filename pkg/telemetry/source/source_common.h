/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <fnmatch.h>

#include "telemetry/source/source.h"

/* Offers an event of a source that can read it again. 0: go to the next event; -EAGAIN: offer this event again. */
int hf_source_offer(const struct hf_intake *intake, const struct hf_event *event, struct hf_receipt *receipt);

/* Finds the severity near a line's start, such as ERROR, level=error, or klog's E1120 08:00:00. */
enum hf_severity hf_source_line_severity(struct hf_view line);

enum { HF_SOURCE_MAX_VALUE = 16 << 10 }; /* bytes of a log line's attribute */

/* Makes an event of a JSON log line: the first usable members for message, level and time become body, severity and
 * time, others become attributes. Without a message, or if a member does not fit, the body is the whole line. May clear
 * *scratch. False, *event unchanged: no JSON object, more than 64 members, no memory. */
bool hf_source_parse_json_line(struct hf_view line, struct hf_event *event, struct hf_buf *scratch);

/* Whether the text matches a glob of `include` (empty: all) and none of `exclude`. */
bool hf_source_name_wanted(const char *const *include, const char *const *exclude, const char *text);

/* Copied names, because a source may outlive the policy. */
struct hf_source_names {
    char **names;
    size_t n;
};
HF_MUST_USE int hf_source_names_copy(struct hf_source_names *names, const char *const *from);
void hf_source_names_done(struct hf_source_names *names);

/* Whether the host is loopback, localhost, or an address of this node. */
bool hf_source_is_own_url(const char *url);
