/* SPDX-License-Identifier: Apache-2.0 */
#include "support/json_agree.h"

#include <errno.h>
#include <string.h>

#include "codec/json.h"
#include "codec/scan.h"
#include "telemetry/event/event.h"

enum { MAX_MEMBERS = 64 };

/* ---- the scanner's own ways through a text ------------------------------------------------------------------------------ */

static bool takes_value(struct hf_scan *scan, struct hf_view text, bool loose)
{
    struct hf_scan_value value;

    if (loose)
        hf_scan_init_loose(scan, text);
    else
        hf_scan_init(scan, text);
    return hf_scan_value(scan, &value) == 0 && hf_scan_end(scan) == 0;
}

static bool takes_pieces(struct hf_view text)
{
    struct hf_scan_walk walk;
    struct hf_scan_item item;
    struct hf_scan scan;
    int r;

    hf_scan_init(&scan, text);
    hf_scan_walk_init(&walk, &scan, HF_SCAN_MAX_DEPTH);
    while ((r = hf_scan_walk_next(&walk, &item)) > 0)
        ;
    hf_scan_walk_done(&walk);
    return r == 0 && hf_scan_end(&scan) == 0;
}

/* Member by member and element by element, as ingest does. 1 taken, 0 refused, -1 too many members to tell. */
static int takes_apart(struct hf_view text)
{
    struct hf_scan_member members[MAX_MEMBERS];
    struct hf_scan_value value;
    struct hf_scan scan;
    size_t n;
    int r, type;

    hf_scan_init(&scan, text);
    type = hf_scan_peek(&scan);
    if (type == HF_SCAN_OBJECT) {
        r = hf_scan_members(&scan, members, MAX_MEMBERS, &n);
        if (r < 0 && strcmp(scan.what, "too many members") == 0)
            return -1;
    } else if (type == HF_SCAN_ARRAY) {
        r = hf_scan_array_enter(&scan);
        for (bool first = true; r == 0 && (r = hf_scan_array_next(&scan, first)) > 0; first = false)
            r = hf_scan_value(&scan, &value);
        if (r == 0 && hf_scan_end(&scan) == 0 && !takes_value(&scan, text, false) && scan.code == -E2BIG)
            return 0; /* each element may nest as deeply as a text of its own */
    } else {
        r = type < 0 ? type : hf_scan_value(&scan, &value);
    }
    return r == 0 && hf_scan_end(&scan) == 0;
}

/* ---- events ----------------------------------------------------------------------------------------------------------------- */

/* As the readings of a line that an agent sends on. 1 taken, 0 refused, -1 no verdict. */
static int takes_line(struct hf_view text, const char **complaint)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT),
                                         scratch = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    static struct hf_event event;
    struct hf_view node;
    struct hf_scan scan;

    if (hf_buf_add_str(&line, "{\"time\":\"2026-11-20T11:16:38Z\",\"kind\":\"payload\",\"sensorData\":") < 0 ||
        hf_buf_add(&line, text.p, text.n) < 0 || hf_buf_add_str(&line, "}") < 0)
        return -1;
    bool taken = hf_event_parse(hf_buf_view(&line), &event, &node, &scratch) == 0;
    if (taken && !takes_value(&scan, hf_buf_view(&line), false) && scan.code != -E2BIG)
        *complaint = "an event is read from a line that is not JSON";
    return taken;
}

/* ---- trees, and the library's own reader as a second opinion ------------------------------------------------------------------ */

static bool has_long_number(struct hf_view text)
{
    size_t run = 0, longest = 0;

    for (size_t i = 0; i < text.n; i++) {
        run = strchr("0123456789.+-eE", text.p[i]) != NULL && text.p[i] != '\0' ? run + 1 : 0;
        longest = HF_MAX(longest, run);
    }
    return longest > 300;
}

/* The library has no limit of digits, nests deeper, and takes a zero byte for the end. */
static const char *ask_library(struct hf_view text, const struct hf_scan *scan, bool taken)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL;
    json_error_t error;
    _cleanup_(hf_json_freep) json_t *json = json_loadb(text.n > 0 ? text.p : "", text.n, flags, &error);

    if (taken && json == NULL && json_error_code(&error) != json_error_null_byte_in_key && !has_long_number(text))
        return "the library refuses a text that is taken";
    if (!taken && json != NULL && scan->code != -E2BIG && !has_long_number(text) &&
        memchr(text.p, '\0', text.n) == NULL)
        return "the library takes a text that is refused";
    return NULL;
}

static const char *ask_tree(struct hf_view text, bool taken, bool zero, bool deep)
{
    static const struct hf_json_limits wide = {.max_bytes = SIZE_MAX, .max_nodes = SIZE_MAX};
    _cleanup_(hf_json_freep) json_t *json = NULL, *other = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_json_parse(text, &wide, &json, &err);

    if ((r == 0) != (taken && !zero))
        return r == 0 ? "a tree of a text that is refused" : "no tree of a text that is taken";
    if (r < 0 && r != (deep ? -E2BIG : -EBADMSG))
        return "a refusal with another code";
    if (r == 0 && (other = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL)) != NULL &&
        !json_equal(json, other))
        return "a tree that is not the library's";
    return NULL;
}

enum json_verdict json_ask_all(struct hf_view text, const char **ret_complaint)
{
    struct hf_scan scan, other;
    const char *complaint = NULL;
    bool taken = takes_value(&scan, text, false);
    int apart = takes_apart(text), line = takes_line(text, &complaint);

    if (taken == (scan.what != NULL) || scan.at > text.n)
        complaint = "a refusal without a reason, or at no place";
    else if (takes_pieces(text) != taken)
        complaint = "hf_scan_walk_next()";
    else if (apart >= 0 && apart != taken)
        complaint = "hf_scan_members(), hf_scan_array_next()";
    else if (taken && line == 0)
        complaint = "hf_event_parse() refuses a text that is taken";
    else if (taken && !takes_value(&other, text, true))
        complaint = "a loose scan refuses a text that is taken";
    if (complaint == NULL)
        complaint = ask_tree(text, taken, scan.zero, scan.code == -E2BIG);
    if (complaint == NULL)
        complaint = ask_library(text, &scan, taken);
    *ret_complaint = complaint;
    return !taken ? JSON_REFUSED : scan.zero ? JSON_ACCEPTED_WITH_ZERO : JSON_ACCEPTED;
}
