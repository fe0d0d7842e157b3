/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/hold.h"

#include <errno.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/parse.h"
#include "codec/json.h"
#include "codec/sha256.h"

static void keep_reason(struct hf_hold *hold, const char *reason)
{
    size_t n = strlen(reason);

    n = hf_utf8_prefix(reason, HF_MIN(n, sizeof(hold->reason) - 1));
    memcpy(hold->reason, reason, n);
    hold->reason[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)hold->reason[i] < 0x20 || hold->reason[i] == 0x7f)
            hold->reason[i] = ' ';
}

static void hold_unread(struct hf_hold *hold)
{
    *hold = (struct hf_hold){.present = true, .unreadable = true, .until_unix_ns = HF_NEVER};
    keep_reason(hold, "the hold file cannot be read");
}

static int parse_times(const json_t *root, struct hf_hold *hold, struct hf_err *err)
{
    const char *since = hf_json_str(root, "since"), *until = hf_json_str(root, "until");

    if (since != NULL && hf_parse_time(since, &hold->since_unix_ns) < 0)
        return hf_err_set(err, EBADMSG, "'since' is not an RFC 3339 date");
    if (until != NULL && until[0] != '\0' && hf_parse_time(until, &hold->until_unix_ns) < 0)
        return hf_err_set(err, EBADMSG, "'until' is not an RFC 3339 date");
    return 0;
}

int hf_hold_parse(struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_hold hold = {.present = true, .until_unix_ns = HF_NEVER};
    int r = hf_json_parse(text, NULL, &root, err);

    if (r == 0 && !json_is_object(root))
        r = hf_err_set(err, EBADMSG, "the hold file is not a JSON object");
    if (r == 0)
        r = parse_times(root, &hold, err);
    if (r < 0) {
        hold_unread(ret_hold);
        return hf_err_wrap(err, -EBADMSG, "hold file");
    }
    keep_reason(&hold, hf_json_str_or(root, "reason", ""));
    *ret_hold = hold;
    return 0;
}

int hf_hold_take(int r, struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err)
{
    if (r == 0)
        return hf_hold_parse(text, ret_hold, err);
    *ret_hold = (struct hf_hold){.until_unix_ns = HF_NEVER};
    if (r == -ENOENT)
        return 0;
    hold_unread(ret_hold);
    return r;
}

uint64_t hf_hold_id(struct hf_view text, uint64_t written_unix_ns)
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, &written_unix_ns, sizeof(written_unix_ns));
    hf_sha256_update(&hash, text.p, text.n);
    uint64_t id = hf_sha256_final64(&hash);
    return id != 0 ? id : 1;
}

uint64_t hf_hold_length_ns(const struct hf_hold *hold)
{
    if (hold->unreadable)
        return HF_NEVER;
    if (hold->since_unix_ns == 0 || hold->until_unix_ns == HF_NEVER)
        return HF_HOLD_MAX_NS;
    if (hold->until_unix_ns <= hold->since_unix_ns)
        return 0;
    return HF_MIN(hold->until_unix_ns - hold->since_unix_ns, HF_HOLD_MAX_NS);
}
