/* SPDX-License-Identifier: Apache-2.0 */
/* The kubelet's file of credential providers, and behind a line "---" what one of them answers: refused, or each login
 * is one header line. */
#include "mirror/login/providers.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char image[] = "registry.example:5000/team/app";

static void answer(const struct hf_provider *provider, struct hf_view text)
{
    struct hf_provider_answer answer = {.n = 0};
    struct hf_err err = HF_ERR_INIT;

    if (hf_providers_take(provider, text, &answer, &err) == 0) {
        const char *line = hf_provider_answer_for(&answer, image);
        if (answer.n > HF_PROVIDER_LOGINS || (line != NULL && strpbrk(line, "\r\n") != NULL))
            abort();
        for (size_t i = 0; i < answer.n; i++)
            (void)hf_providers_match(answer.logins[i].pattern, image);
    } else if (err.code == 0) {
        abort();
    }
    hf_provider_answer_done(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char border[] = "\n---\n";
    const char *text = (const char *)bytes, *end = n > 0 ? memmem(text, n, border, strlen(border)) : NULL;
    _cleanup_(hf_providers_freep) struct hf_providers *providers = NULL;
    struct hf_err err = HF_ERR_INIT;
    size_t head = end != NULL ? (size_t)(end - text) : n;

    if (hf_providers_parse((struct hf_view){text, head}, &providers, &err) < 0)
        return 0;
    for (size_t i = 0; i < providers->n; i++) {
        _cleanup_(hf_buf_done) struct hf_buf question = HF_BUF_INIT(1024);
        if (hf_providers_cover(&providers->items[i], image))
            (void)!hf_providers_ask(&providers->items[i], image, &question);
        if (end != NULL)
            answer(&providers->items[i], (struct hf_view){end + strlen(border), n - head - strlen(border)});
    }
    return 0;
}
