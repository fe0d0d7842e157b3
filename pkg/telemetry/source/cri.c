#include "telemetry/source/cri.h"

#include <string.h>

#include "base/parse.h"

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
