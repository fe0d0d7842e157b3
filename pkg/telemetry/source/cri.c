/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/source/cri.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/scan.h"

static bool next_word(struct hf_view *rest, struct hf_view *ret_word)
{
    const char *blank = rest->n > 0 ? memchr(rest->p, ' ', rest->n) : NULL;

    if (blank == NULL)
        return false;
    *ret_word = (struct hf_view){rest->p, (size_t)(blank - rest->p)};
    *rest = (struct hf_view){blank + 1, rest->n - ret_word->n - 1};
    return ret_word->n > 0;
}

bool hf_cri_parse(struct hf_view line, struct hf_cri_line *ret_line)
{
    struct hf_cri_line parsed = {.partial = false};
    struct hf_view time, stream, tag, rest = line;
    char text[48];

    if (!next_word(&rest, &time) || !next_word(&rest, &stream) || time.n >= sizeof(text))
        return false;
    if (!next_word(&rest, &tag)) { /* a tag without text */
        tag = rest;
        rest = (struct hf_view){line.p + line.n, 0};
    }
    memcpy(text, time.p, time.n);
    text[time.n] = '\0';
    parsed.is_stderr = hf_view_eq(stream, "stderr");
    /* More tags may follow, joined by ':'; the first one tells if the line is whole. */
    parsed.partial = tag.n > 0 && tag.p[0] == 'P';
    if (hf_parse_time(text, &parsed.unix_ns) < 0 || (!parsed.is_stderr && !hf_view_eq(stream, "stdout")) ||
        tag.n == 0 || (tag.p[0] != 'P' && tag.p[0] != 'F') || (tag.n > 1 && tag.p[1] != ':'))
        return false;
    parsed.text = rest;
    *ret_line = parsed;
    return true;
}

bool hf_cri_parse_docker(struct hf_view line, struct hf_buf *scratch, struct hf_cri_line *ret_line)
{
    static const char *const names[] = {"log", "stream", "time"};
    const struct hf_scan_value *values[HF_LEN(names)] = {NULL};
    struct hf_scan_member members[8];
    struct hf_cri_line parsed = {.partial = true};
    struct hf_scan scan;
    char time[48];
    size_t n;

    hf_scan_init(&scan, line);
    if (hf_scan_members(&scan, members, HF_LEN(members), &n) < 0 || hf_scan_end(&scan) < 0)
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < HF_LEN(names); j++)
            if (hf_scan_is(&members[i], names[j]) && members[i].value.type == HF_SCAN_STRING)
                values[j] = &members[i].value;
    hf_buf_clear(scratch);
    if (values[0] == NULL || values[1] == NULL || values[2] == NULL || values[2]->text.n >= sizeof(time) ||
        hf_scan_string(values[0], scratch, &parsed.text) < 0)
        return false;
    (void)snprintf(time, sizeof(time), "%.*s", (int)values[2]->text.n, values[2]->text.p);
    parsed.is_stderr = hf_view_eq(values[1]->text, "stderr");
    if (hf_parse_time(time, &parsed.unix_ns) < 0 || (!parsed.is_stderr && !hf_view_eq(values[1]->text, "stdout")))
        return false;
    if (parsed.text.n > 0 && parsed.text.p[parsed.text.n - 1] == '\n') {
        parsed.text.n -= parsed.text.n > 1 && parsed.text.p[parsed.text.n - 2] == '\r' ? 2 : 1;
        parsed.partial = false;
    }
    *ret_line = parsed;
    return true;
}

bool hf_cri_pod_parse(struct hf_view folder, struct hf_cri_pod *ret_pod)
{
    struct hf_view rest = folder;
    struct hf_cri_pod pod;

    if (!hf_view_split(&rest, '_', &pod.space) || !hf_view_split(&rest, '_', &pod.name) || rest.p == NULL)
        return false;
    pod.uid = rest;
    if (pod.space.n == 0 || pod.name.n == 0 || pod.uid.n == 0 || memchr(pod.uid.p, '_', pod.uid.n) != NULL)
        return false;
    *ret_pod = pod;
    return true;
}
