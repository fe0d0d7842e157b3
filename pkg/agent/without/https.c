/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/without/without.h"
#include "loop/http/client.h"
#include "loop/tpm_key.h"
#include "oci/registry/token.h"
#include "trust/identity.h"

#include <errno.h>

HF_FEATURE_LEFT_OUT(https);

static int start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_HTTPS, err);
    return -EINVAL;
}

static void cancel(void *ctx, struct hf_http_call *call)
{
}

static void pause_call(void *ctx, struct hf_http_call *call, bool paused)
{
}

struct hf_http_client {
    struct hf_http_ops ops;
};

struct hf_http_client *hf_http_client_new(struct hf_loop *loop, const struct hf_http_config *config, struct hf_err *err)
{
    static struct hf_http_client client = {{.start = start, .cancel = cancel, .pause = pause_call}};

    return &client;
}

HF_FEATURE_NOTHING(hf_http_client_free(struct hf_http_client *client));
HF_FEATURE_RETURNS(const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client), &client->ops);
HF_FEATURE_RETURNS(struct hf_http_traffic hf_http_client_traffic(const struct hf_http_client *client),
                   (struct hf_http_traffic){.sent_bytes = 0});
HF_FEATURE_NOTHING(hf_http_client_drop_connections(struct hf_http_client *client));
HF_FEATURE_RETURNS(int hf_http_client_update(struct hf_http_client *client, const struct hf_http_config *config,
                                             struct hf_err *err),
                   0);

/* ---- the certificate in use: there is none ----------------------------------------------------------------------- */

HF_FEATURE_EMPTY(hf_identity, struct hf_identity *hf_identity_new(const struct hf_clock_ops *clock));
HF_FEATURE_NOTHING(hf_identity_free(struct hf_identity *identity));
HF_FEATURE_RETURNS(int hf_identity_set(struct hf_identity *identity, const char *certificate_pem, const char *key_pem,
                                       struct hf_err *err),
                   0);

int hf_identity_pair(const struct hf_identity *identity, const char **ret_certificate_pem, const char **ret_key_pem,
                     struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_HTTPS, err);
    return -EACCES;
}

int hf_identity_token(struct hf_identity *identity, const char *origin, const char **ret_token, struct hf_err *err)
{
    return hf_identity_pair(NULL, NULL, NULL, err);
}

HF_FEATURE_RETURNS(int hf_tpm_key_provide(const char *program, const char *tcti), 0);

/* ---- tokens of registries: nothing asks for one ------------------------------------------------------------------ */

HF_FEATURE_RETURNS(int hf_oci_token_ask(const char *registry, const char *repository, const char *challenge,
                                        struct hf_oci_token_ask *ret, struct hf_err *err),
                   0);
HF_FEATURE_RETURNS(const char *hf_oci_token_credential(const struct hf_oci_token_ask *ask, const char *line), NULL);
HF_FEATURE_RETURNS(int hf_oci_token_take(const struct hf_http_response *response, struct hf_view body, char **ret_line,
                                         uint64_t *ret_seconds, struct hf_err *err),
                   -EACCES);
