/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/rules/bound_token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "codec/json.h"

/* Base64 as RFC 7515 has it: its own alphabet for two digits, and no padding. */
static int decode_part(struct hf_view part, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_BOUND_TOKEN_MAX_BYTES + 4);
    int r = hf_buf_add(&text, part.p, part.n);

    for (size_t i = 0; r == 0 && i < text.n; i++) {
        if (text.p[i] == '+' || text.p[i] == '/' || text.p[i] == '=')
            return -EINVAL;
        text.p[i] = text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i];
    }
    while (r == 0 && text.n % 4 != 0)
        r = hf_buf_add_str(&text, "=");
    return r == 0 ? hf_base64_decode(hf_buf_view(&text), out) : r;
}

static json_t *read_claims(struct hf_view text)
{
    _cleanup_(hf_buf_done) struct hf_buf claims = HF_BUF_INIT(HF_BOUND_TOKEN_MAX_BYTES);
    struct hf_view head, body;
    json_t *json = NULL;

    if (text.n > HF_BOUND_TOKEN_MAX_BYTES || !hf_view_split(&text, '.', &head) || !hf_view_split(&text, '.', &body) ||
        text.n == 0 || memchr(text.p, '.', text.n) != NULL || decode_part(body, &claims) < 0 ||
        hf_json_parse(hf_buf_view(&claims), NULL, &json, NULL) < 0)
        return NULL;
    return json;
}

int hf_bound_token_read(struct hf_view text, struct hf_bound_token *ret_token, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *claims = read_claims(text);
    const json_t *about = json_object_get(claims, "kubernetes.io"); /* a name with a dot is no path */

    if (!json_is_object(about) || strncmp(hf_json_str_or(claims, "sub", ""), "system:serviceaccount:", 22) != 0)
        return hf_err_set(err, EBADMSG, "the text is not a service account's token");
    int64_t expiry = hf_json_int_or(claims, "exp", 0);
    ret_token->expiry_unix_s = expiry > 0 ? (uint64_t)expiry : 0;
    (void)snprintf(ret_token->node, sizeof(ret_token->node), "%s", hf_json_str_or(about, "node.name", ""));
    return 0;
}
