/* SPDX-License-Identifier: Apache-2.0 */
#include "support/golden.h"

static bool write_golden(const char *path, struct hf_view text)
{
    FILE *file = fopen(path, "w");
    bool good = file != NULL && fwrite(text.p, 1, text.n, file) == text.n;

    if (file != NULL && fclose(file) != 0)
        good = false;
    return good;
}

static bool compare(const char *path, FILE *file, struct hf_view text)
{
    char want[1024];

    for (int line = 1;; line++) {
        struct hf_view got = {NULL, 0};
        bool more = fgets(want, sizeof(want), file) != NULL;
        if (text.n > 0)
            (void)hf_view_split(&text, '\n', &got);
        else
            text.p = NULL;
        if (!more)
            want[0] = '\0';
        want[strcspn(want, "\n")] = '\0';
        if (!hf_view_eq(got, want) && !(got.n == 0 && want[0] == '\0')) {
            (void)fprintf(stderr, "%s:%d: '%.*s', was '%s'\n", path, line, (int)got.n, got.p != NULL ? got.p : "",
                          want);
            return false;
        }
        if (!more)
            return text.n == 0;
    }
}

bool hf_golden(const char *name, struct hf_view text)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "tests/golden/%s", name);
    if (getenv("HF_GOLDEN_WRITE") != NULL)
        return write_golden(path, text);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        (void)fprintf(stderr, "%s: missing; HF_GOLDEN_WRITE=1 makes it\n", path);
        return false;
    }
    bool same = compare(path, file, text);
    (void)fclose(file);
    return same;
}
