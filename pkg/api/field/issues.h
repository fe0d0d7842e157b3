/* SPDX-License-Identifier: Apache-2.0 */
/* Errors and warnings of decoding an object. About 20 kB: use the heap. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/macros.h"

enum { HF_API_MAX_ISSUES = 32 };

struct hf_issue {
    char path[160];
    char text[160];
};

/* An error mostly makes the object unusable; a warning is mostly an unknown field or likely mistake. */
struct hf_issues {
    struct hf_issue errors[HF_API_MAX_ISSUES];
    size_t n_errors; /* all that were found, perhaps more than stored */
    struct hf_issue warnings[HF_API_MAX_ISSUES];
    size_t n_warnings;
};

void hf_issue_error(struct hf_issues *issues, const char *path, const char *format, ...) HF_PRINTF(3, 4);
void hf_issue_warning(struct hf_issues *issues, const char *path, const char *format, ...) HF_PRINTF(3, 4);

/* Writes "spec.a: expected x; spec.b: ...; and 3 more", which counts what is not stored or does not fit. */
void hf_issues_format(const struct hf_issues *issues, struct hf_buf *out);
