/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/source_common.h - helpers of sources. Threads: loop thread only. */
#pragma once

#include <fnmatch.h>

#include "telemetry/source/source.h"

/* Can read again. 0: next event (accepted, filtered, never storable). -EAGAIN: this one later. */
int hf_source_offer(const struct hf_intake *intake, const struct hf_event *event, struct hf_receipt *receipt);

/* A word (ERROR, WARN) near the start, level=error, or klog's start (E1120 08:00:00); 0: none. */
enum hf_severity hf_source_line_severity(struct hf_view line);

enum { HF_SOURCE_MAX_VALUE = 16 << 10 }; /* attribute of a log line */

/* First message, named level, time (RFC 3339, or s, ms, us, ns); other members are attributes, JSON if no string.
 * Without a message, or room for a member: body is the line. Clears *scratch. False, unchanged: no object, above 64
 * members, no memory. */
bool hf_source_parse_json_line(struct hf_view line, struct hf_event *event, struct hf_buf *scratch);

/* A glob of `include` (or empty), none of `exclude`; NULL ends. */
bool hf_source_name_wanted(const char *const *include, const char *const *exclude, const char *text);

/* A copy: a source may outlive the policy. */
struct hf_source_names {
    char **names; /* NULL ends */
    size_t n;
};
HF_MUST_USE int hf_source_names_copy(struct hf_source_names *names, const char *const *from);
void hf_source_names_done(struct hf_source_names *names);

/* Loopback, or an interface's; of names localhost alone. */
bool hf_source_is_own_url(const char *url);
