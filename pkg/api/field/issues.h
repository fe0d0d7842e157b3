/* SPDX-License-Identifier: Apache-2.0 */
/* api/field/issues.h - the errors and warnings that decoding finds in one object, each with its JSON path.
 *
 * Pure. A struct hf_issues owns no memory. Its size is about 20 kB, so allocate it on the heap. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/macros.h"

/* Maximum number of errors, and of warnings, that a struct hf_issues stores. */
enum { HF_API_MAX_ISSUES = 32 };

struct hf_issue {
    char path[160]; /* JSON path, such as "spec.release.artifacts[0].sha256" */
    char text[160]; /* usually the expected form and the value found */
};

/* The issues of one object. An error makes the object unusable. A warning names an unknown field, or a value that is
 * probably a mistake. */
struct hf_issues {
    struct hf_issue errors[HF_API_MAX_ISSUES];
    size_t n_errors; /* number of errors found, which may exceed the number stored */
    struct hf_issue warnings[HF_API_MAX_ISSUES];
    size_t n_warnings;
};

void hf_issue_error(struct hf_issues *issues, const char *path, const char *format, ...) HF_PRINTF(3, 4);
void hf_issue_warning(struct hf_issues *issues, const char *path, const char *format, ...) HF_PRINTF(3, 4);

/* Appends all errors to *out in the form "spec.a: expected x; spec.b: ...; and 3 more", for a status message or for a
 * person. The number before "more" counts the errors that are not stored, and those for which out->max leaves no
 * space. */
void hf_issues_format(const struct hf_issues *issues, struct hf_buf *out);
