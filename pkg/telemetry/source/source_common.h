/* telemetry/source/source_common.h - what several sources do alike. */
#pragma once

#include <fnmatch.h>

#include "telemetry/source/source.h"

/* Offer with the one rule all sources that can read again share: 0 when it was taken, is not wanted, or can never be stored; -EAGAIN
 * when the same event has to come again later (no room, or the store failed). */
int hf_source_offer(const struct hf_intake *intake, const struct hf_event *event, struct hf_receipt *receipt);

/* What a line says about itself: a word like ERROR or WARN among the first ones, level=error. 0: nothing. */
enum hf_severity hf_source_line_severity(struct hf_view line);

/* A line that is a JSON object: its message, level, time and plain members as attributes. False: it is none, *event is as before.
 * Texts that have escapes go to *scratch, which is cleared first. */
bool hf_source_parse_json_line(struct hf_view line, struct hf_event *event, struct hf_buf *scratch);

/* NULL-terminated lists of globs; an empty one takes everything (of `include`) and nothing (of `exclude`). */
bool hf_source_name_wanted(const char *const *include, const char *const *exclude, const char *text);

/* Copies of strings of a policy, which goes away before the source does. */
struct hf_source_names {
    char **names; /* NULL ends */
    size_t n;
};
HF_MUST_USE int hf_source_names_copy(struct hf_source_names *names, const char *const *from);
void hf_source_names_done(struct hf_source_names *names);
