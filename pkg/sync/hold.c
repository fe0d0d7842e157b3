#include "sync/hold.h"

#include <errno.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/parse.h"
#include "codec/json.h"

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
    *hold = (struct hf_hold){.present = true, .until_unix_ns = HF_NEVER};
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

bool hf_hold_active(const struct hf_hold *hold, uint64_t unix_ns, uint64_t *ret_end_unix_ns)
{
    uint64_t end = hold->until_unix_ns;

    if (hold->since_unix_ns != 0)
        end = HF_MIN(end, hold->since_unix_ns + HF_HOLD_MAX_NS);
    *ret_end_unix_ns = hold->present ? end : HF_NEVER;
    return hold->present && unix_ns < end;
}
