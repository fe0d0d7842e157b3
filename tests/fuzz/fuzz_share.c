/* SPDX-License-Identifier: Apache-2.0 */
/* What neighbours send; the first byte of an input says what the rest is. A request that is taken names 64 hexadecimal
 * digits. A state that is taken has a text that is taken as the same state. */
#include "share/protocol.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void request(struct hf_view text)
{
    struct hf_share_request request;

    if (hf_share_request_parse(text, &request) == 0 && strspn(request.sha256, "0123456789abcdef") != HF_SHA256_HEX - 1)
        abort();
}

static void state(struct hf_view text)
{
    enum hf_share_state first, again;
    char formatted[HF_SHARE_STATE_TEXT];
    uint64_t bytes, same;

    if (hf_share_state_parse(text, &first, &bytes) < 0)
        return;
    hf_share_state_format(first, bytes, formatted);
    if (hf_share_state_parse(hf_view_of(formatted), &again, &same) < 0 || again != first || same != bytes)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    struct hf_view rest = {(const char *)bytes + 1, n - 1};
    if (bytes[0] % 3 == 0)
        request(rest);
    else if (bytes[0] % 3 == 1)
        state(rest);
    else
        (void)hf_share_datagram_parse(rest, "0123456789abcdef");
    return 0;
}
