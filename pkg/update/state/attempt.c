/* SPDX-License-Identifier: Apache-2.0 */
#include "update/state/attempt.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "codec/state/sealed_file.h"
#include "steps/fetch_record.h"

enum { FORMAT = 1, MAX_TEXT = 1024 };

/* ---- text -------------------------------------------------------------------------------------------------------- */

int hf_attempt_format(const struct hf_attempt *attempt, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(MAX_TEXT);
    int r = hf_buf_addf(&body,
                        "delta %s\nmakes %s\nsize %" PRIu64 "\nat %" PRIu64 "\ndeaths %u\nboot %s\nkills %" PRIu64
                        "\nkills-above %" PRIu64 "\n",
                        attempt->delta, attempt->makes, attempt->size, attempt->at, attempt->deaths, attempt->boot,
                        attempt->kills.own, attempt->kills.above);

    return r == 0 ? hf_seal_format("attempt", FORMAT, hf_buf_view(&body), out) : r;
}

static bool take_number(struct hf_view *remainder, const char *name, uint64_t max, uint64_t *ret_value)
{
    char text[24];

    return hf_seal_take(remainder, name, text, sizeof(text)) && hf_parse_u64(text, 0, max, ret_value) == 0;
}

static bool read_body(struct hf_view body, struct hf_attempt *attempt)
{
    uint64_t deaths = 0;

    if (!hf_seal_take(&body, "delta", attempt->delta, sizeof(attempt->delta)) ||
        !hf_seal_take(&body, "makes", attempt->makes, sizeof(attempt->makes)) ||
        !take_number(&body, "size", INT64_MAX, &attempt->size) || !take_number(&body, "at", INT64_MAX, &attempt->at) ||
        !take_number(&body, "deaths", HF_ATTEMPT_MAX_DEATHS, &deaths) ||
        !hf_seal_take(&body, "boot", attempt->boot, sizeof(attempt->boot)) ||
        !take_number(&body, "kills", UINT64_MAX, &attempt->kills.own) ||
        !take_number(&body, "kills-above", UINT64_MAX, &attempt->kills.above))
        return false;
    attempt->deaths = (unsigned)deaths;
    return body.n == 0;
}

int hf_attempt_parse(struct hf_view text, struct hf_attempt *ret_attempt)
{
    struct hf_attempt attempt = {.deaths = 0};
    struct hf_view body;
    int r = hf_seal_open(text, "attempt", FORMAT, &body, NULL);

    if (r == 0 && !read_body(body, &attempt))
        r = -EBADMSG;
    if (r == 0)
        *ret_attempt = attempt;
    return r;
}

/* ---- file -------------------------------------------------------------------------------------------------------- */

bool hf_attempt_find(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *ret_attempt)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    struct hf_attempt attempt = {.deaths = 0};
    struct hf_view body;

    if (hf_sealed_file_load(fs, folder, "attempt", "attempt", FORMAT, &text, &body, NULL) < 0 ||
        !read_body(body, &attempt))
        return false;
    *ret_attempt = attempt;
    return true;
}

void hf_attempt_look(const struct hf_fs_ops *fs, struct hf_attempt_now *ret_now)
{
    *ret_now = (struct hf_attempt_now){.at = 0};
    hf_fetch_record_boot(fs, ret_now->boot);
    hf_room_kills(fs, "", &ret_now->kills);
}

int hf_attempt_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *attempt, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    struct hf_attempt before;
    struct hf_attempt_now now;

    hf_attempt_look(fs, &now);
    memcpy(attempt->boot, now.boot, sizeof(attempt->boot));
    attempt->kills = now.kills;
    attempt->deaths = 0;
    if (hf_attempt_find(fs, folder, &before) && strcmp(before.delta, attempt->delta) == 0)
        attempt->deaths = HF_MIN(before.deaths + 1, (unsigned)HF_ATTEMPT_MAX_DEATHS);
    int r = hf_attempt_format(attempt, &text);
    return r < 0 ? hf_err_sys(err, r, "format the attempt")
                 : hf_sealed_file_save(fs, folder, "attempt", hf_buf_view(&text), err);
}

int hf_attempt_end(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err)
{
    return hf_sealed_file_remove(fs, folder, "attempt", err);
}

/* ---- judgement --------------------------------------------------------------------------------------------------- */

static bool same_boot(const struct hf_attempt *attempt, const struct hf_attempt_now *now)
{
    return strcmp(attempt->boot, now->boot) == 0;
}

bool hf_attempt_oom(const struct hf_attempt *attempt, const struct hf_attempt_now *now)
{
    return same_boot(attempt, now) && (now->kills.own > attempt->kills.own || now->kills.above > attempt->kills.above);
}

bool hf_attempt_gives_up(const struct hf_attempt *attempt, const struct hf_attempt_now *now)
{
    if (attempt->deaths + 1 >= HF_ATTEMPT_MAX_DEATHS || hf_attempt_oom(attempt, now))
        return true;
    return same_boot(attempt, now) && now->at <= attempt->at;
}
