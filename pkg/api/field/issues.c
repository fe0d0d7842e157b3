/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field/issues.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"

HF_PRINTF(4, 0)
static void put_issue(struct hf_issue *list, size_t *n, const char *path, const char *format, va_list args)
{
    if (*n < HF_API_MAX_ISSUES) {
        (void)snprintf(list[*n].path, sizeof(list[*n].path), "%s", path);
        (void)vsnprintf(list[*n].text, sizeof(list[*n].text), format, args);
    }
    (*n)++;
}

void hf_issue_error(struct hf_issues *issues, const char *path, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_issue(issues->errors, &issues->n_errors, path, format, args);
    va_end(args);
}

void hf_issue_warning(struct hf_issues *issues, const char *path, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_issue(issues->warnings, &issues->n_warnings, path, format, args);
    va_end(args);
}

enum { MORE_TEXT = 32 }; /* room for "; and 12345 more" */

void hf_issues_format(const struct hf_issues *issues, struct hf_buf *out)
{
    size_t stored = HF_MIN(issues->n_errors, (size_t)HF_API_MAX_ISSUES), shown = 0;

    for (; shown < stored; shown++) {
        const struct hf_issue *issue = &issues->errors[shown];
        size_t need = strlen(issue->path) + strlen(issue->text) + 4;
        bool last = shown + 1 == issues->n_errors;

        if (out->n + need + (last ? 0 : MORE_TEXT) > out->max ||
            hf_buf_addf(out, "%s%s%s%s", shown > 0 ? "; " : "", issue->path, issue->path[0] != '\0' ? ": " : "",
                        issue->text) < 0)
            break;
    }
    int r = 0; /* a full buffer drops the end */
    if (shown == 0 && issues->n_errors > 0)
        r = hf_buf_addf(out, "%zu %s", issues->n_errors, hf_noun(issues->n_errors, "error", "errors"));
    else if (shown < issues->n_errors)
        r = hf_buf_addf(out, "; and %zu more", issues->n_errors - shown);
    (void)r;
}
