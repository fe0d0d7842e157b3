/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <fnmatch.h>

#include "telemetry/source/source.h"

/* For sources that can read again. 0: next event (this one is accepted, filtered, or never storable). -EAGAIN: offer
 * this one again later. */
int hf_source_offer(const struct hf_intake *intake, const struct hf_event *event, struct hf_receipt *receipt);

/* By a word (ERROR, WARN) near the start, level=error, or klog's start (E1120 08:00:00). */
enum hf_severity hf_source_line_severity(struct hf_view line);

enum { HF_SOURCE_MAX_VALUE = 16 << 10 }; /* of a log line's attribute */

/* Body, severity and time from the first message, level and time (RFC 3339, or a number in s, ms, us or ns); other
 * members become attributes, as JSON if no string. Without a message, or room for a member, the body is the whole line.
 * Clears *scratch. False, *event unchanged: no JSON object, more than 64 members, no memory. */
bool hf_source_parse_json_line(struct hf_view line, struct hf_event *event, struct hf_buf *scratch);

/* Matches a glob of `include` (empty: all), and none of `exclude`. */
bool hf_source_name_wanted(const char *const *include, const char *const *exclude, const char *text);

/* Copies: a source may outlive the policy. */
struct hf_source_names {
    char **names;
    size_t n;
};
HF_MUST_USE int hf_source_names_copy(struct hf_source_names *names, const char *const *from);
void hf_source_names_done(struct hf_source_names *names);

/* Loopback, localhost, or an interface's address. */
bool hf_source_is_own_url(const char *url);
