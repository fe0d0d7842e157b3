/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/images/refusals.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/counters.h"
#include "os/file.h"
#include "verifier/verify.h"

enum { LINE_WORDS = 4 };

static const char *known_verdict(const char *word)
{
    for (enum hf_image_verdict v = HF_IMAGE_NOT_LISTED; v < HF_IMAGE_VERDICTS; v++)
        if (strcmp(word, hf_image_list_verdict_name(v)) == 0)
            return hf_image_list_verdict_name(v);
    return NULL;
}

void hf_image_refusals_sum(char *lines, void (*count)(void *arg, const char *verdict), void *arg,
                           struct hf_image_refusals *ret)
{
    char *rest = NULL;

    *ret = (struct hf_image_refusals){.n = 0};
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char *words[LINE_WORDS], *more = NULL;
        size_t n = 0;
        for (char *word = strtok_r(line, " ", &more); word != NULL && n < LINE_WORDS; word = strtok_r(NULL, " ", &more))
            words[n++] = word;
        const char *verdict = n == LINE_WORDS ? known_verdict(words[2]) : NULL;
        if (verdict == NULL)
            continue;
        count(arg, verdict);
        ret->n++;
        (void)snprintf(ret->text, sizeof(ret->text), "%u pull%s refused, the last one of '%.200s' (%.71s): %s", ret->n,
                       ret->n > 1 ? "s" : "", words[3], words[1], verdict);
    }
}

static void count_one(void *arg, const char *verdict)
{
    const struct hf_agent_counters *counters = arg;

    hf_counters_add(counters->image_refusals, verdict);
}

/* By another name first: what is refused from now on goes into a new file. A verifier that has the old one open may
 * write its line behind the reading; then the Event lacks it, and the kubelet tries the pull again soon. */
void hf_image_refusals_take(const struct hf_agent_env *env, const char *folder, struct hf_image_refusals *ret)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(2 * HF_VERIFY_MAX_REFUSALS);
    char from[PATH_MAX], taken[PATH_MAX];
    const struct hf_fs_ops *fs = env->world.fs;

    *ret = (struct hf_image_refusals){.n = 0};
    if (snprintf(from, sizeof(from), "%s/%s", folder, strrchr(HF_VERIFY_REFUSALS, '/') + 1) >= (int)sizeof(from) ||
        snprintf(taken, sizeof(taken), "%s/taken", folder) >= (int)sizeof(taken) ||
        fs->renameat(fs->ctx, AT_FDCWD, from, AT_FDCWD, taken) < 0)
        return;
    if (hf_file_read(fs, taken, &text, NULL) == 0 && text.n > 0)
        hf_image_refusals_sum((char *)(uintptr_t)hf_buf_str(&text), count_one, env->counters, ret);
    (void)fs->unlinkat(fs->ctx, AT_FDCWD, taken, 0);
}
