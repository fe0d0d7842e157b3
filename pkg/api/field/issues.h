/* api/field/issues.h - the errors and warnings that decoding finds in one object, each with its JSON path.
 *
 * Pure. An hf_issues is a value of about 20 kB (allocate it on the heap) that owns nothing. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/macros.h"

/* maximum of stored errors, and of stored warnings; if there were more, the formatted text ends in "and N more" */
enum { HF_API_MAX_ISSUES = 32 };

struct hf_issue {
    char path[160]; /* "spec.release.artifacts[0].sha256" */
    char text[160]; /* the expected form and the value found */
};

/* Errors make the object unusable. Warnings name unknown fields and doubtful values. */
struct hf_issues {
    struct hf_issue errors[HF_API_MAX_ISSUES];
    size_t n_errors; /* number of errors found, which may exceed the number stored */
    struct hf_issue warnings[HF_API_MAX_ISSUES];
    size_t n_warnings;
};

void hf_issue_error(struct hf_issues *issues, const char *path, const char *format, ...) HF_PRINTF(3, 4);
void hf_issue_warning(struct hf_issues *issues, const char *path, const char *format, ...) HF_PRINTF(3, 4);

/* Writes "spec.a: expected x; spec.b: ...; and 3 more" into *out, for a status message or a person. out->max limits
 * the length. */
void hf_issues_format(const struct hf_issues *issues, struct hf_buf *out);
