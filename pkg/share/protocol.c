/* SPDX-License-Identifier: Apache-2.0 */
#include "share/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/encoding/hex.h"
#include "base/parse.h"

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static bool take_hash(struct hf_view text, char sha256[HF_SHA256_HEX])
{
    if (text.n != HF_SHA256_HEX - 1)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (strchr("0123456789abcdef", text.p[i]) == NULL || text.p[i] == '\0')
            return false;
    (void)snprintf(sha256, HF_SHA256_HEX, "%.*s", (int)text.n, text.p);
    return true;
}

static struct hf_view after(struct hf_view text, const char *prefix)
{
    return (struct hf_view){text.p + strlen(prefix), text.n - strlen(prefix)};
}

static int parse_number(struct hf_view text, uint64_t *ret)
{
    char digits[21];

    if (text.n == 0 || text.n >= sizeof(digits))
        return -EBADMSG;
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)text.n, text.p);
    return strlen(digits) == text.n && hf_parse_u64(digits, 0, INT64_MAX, ret) == 0 ? 0 : -EBADMSG;
}

static bool has_name(struct hf_view line, const char *name)
{
    return line.n > strlen(name) && strncasecmp(line.p, name, strlen(name)) == 0;
}

static int parse_line(struct hf_view line, struct hf_share_request *request)
{
    static const char content[] = "GET /v1/content/", state[] = "GET /v1/state/";
    struct hf_view path;

    request->content = hf_view_starts(line, content);
    if (!request->content && !hf_view_starts(line, state))
        return -EBADMSG;
    path = after(line, request->content ? content : state);
    if (path.n < HF_SHA256_HEX || path.p[HF_SHA256_HEX - 1] != ' ' ||
        !hf_view_starts((struct hf_view){path.p + HF_SHA256_HEX, path.n - HF_SHA256_HEX}, "HTTP/1."))
        return -EBADMSG;
    return take_hash((struct hf_view){path.p, HF_SHA256_HEX - 1}, request->sha256) ? 0 : -EBADMSG;
}

static int parse_range(struct hf_view value, struct hf_share_request *request)
{
    if (!hf_view_starts(value, "bytes=") || value.p[value.n - 1] != '-')
        return -EBADMSG;
    value = after(value, "bytes=");
    value.n--;
    request->ranged = true;
    return parse_number(value, &request->from);
}

int hf_share_request_parse(struct hf_view head, struct hf_share_request *ret_request)
{
    struct hf_share_request request = {.content = false};
    struct hf_view line;
    bool first = true;
    int r = -EBADMSG;

    while (hf_view_split(&head, '\n', &line)) {
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (first)
            r = parse_line(line, &request);
        else if (has_name(line, "range:"))
            r = parse_range(hf_view_trim(after(line, "range:")), &request);
        if (r < 0)
            return r;
        if (!first && line.n == 0)
            break;
        first = false;
    }
    *ret_request = request;
    return r;
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

static const char *const names[HF_SHARE_STATES] = {[HF_SHARE_UNKNOWN] = "",
                                                   [HF_SHARE_ABSENT] = "absent",
                                                   [HF_SHARE_WANTED] = "wanted",
                                                   [HF_SHARE_FETCHING] = "fetching",
                                                   [HF_SHARE_HAVE] = "have"};

const char *hf_share_state_format(enum hf_share_state state, uint64_t bytes, char text[HF_SHARE_STATE_TEXT])
{
    if (state == HF_SHARE_FETCHING)
        (void)snprintf(text, HF_SHARE_STATE_TEXT, "%s %ju", names[state], (uintmax_t)bytes);
    else
        (void)snprintf(text, HF_SHARE_STATE_TEXT, "%s", names[state]);
    return text;
}

int hf_share_state_parse(struct hf_view text, enum hf_share_state *ret_state, uint64_t *ret_bytes)
{
    text = hf_view_trim(text);
    *ret_bytes = 0;
    for (unsigned state = HF_SHARE_ABSENT; state < HF_SHARE_STATES; state++) {
        bool counts = state == HF_SHARE_FETCHING && hf_view_starts(text, "fetching ");
        if (!counts && !(state != HF_SHARE_FETCHING && hf_view_eq(text, names[state])))
            continue;
        *ret_state = (enum hf_share_state)state;
        return counts ? parse_number(after(text, "fetching "), ret_bytes) : 0;
    }
    return -EBADMSG;
}

/* ---- datagrams --------------------------------------------------------------------------------------------------- */

const char *hf_share_cluster(const char *ca_pem, char cluster[HF_SHARE_CLUSTER])
{
    unsigned char digest[HF_SHA256_BYTES];
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    for (const char *c = ca_pem; *c != '\0'; c++) /* line breaks differ between the copies of one certificate */
        if (strchr(" \t\r\n", *c) == NULL)
            hf_sha256_update(&hash, c, 1);
    hf_sha256_final(&hash, digest);
    return hf_hex_encode(digest, (HF_SHARE_CLUSTER - 1) / 2, cluster);
}

size_t hf_share_datagram_format(bool ask, const char *cluster, char text[HF_SHARE_DATAGRAM])
{
    return (size_t)snprintf(text, HF_SHARE_DATAGRAM, "holdfast-share 1 %s %s\n", ask ? "ask" : "here", cluster);
}

int hf_share_datagram_parse(struct hf_view text, const char *cluster)
{
    char wanted[HF_SHARE_DATAGRAM];

    for (int ask = 0; ask <= 1; ask++) {
        size_t n = hf_share_datagram_format(ask == 1, cluster, wanted);
        if (text.n == n && memcmp(text.p, wanted, n) == 0)
            return ask;
    }
    return -EBADMSG;
}
