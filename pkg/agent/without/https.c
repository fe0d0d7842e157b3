/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/features.h"
#include "loop/http/client.h"
#include "loop/tpm_key.h"
#include "oci/registry/token.h"
#include "trust/identity.h"

#include <errno.h>

HF_FEATURE_LEFT_OUT(https);

static int start(HF_UNUSED void *ctx, HF_UNUSED const struct hf_http_request *request,
                 HF_UNUSED struct hf_http_call **ret_call, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_HTTPS, err);
    return -EINVAL;
}

static void cancel(HF_UNUSED void *ctx, HF_UNUSED struct hf_http_call *call)
{
}

static void pause_call(HF_UNUSED void *ctx, HF_UNUSED struct hf_http_call *call, HF_UNUSED bool paused)
{
}

struct hf_http_client {
    struct hf_http_ops ops;
};

struct hf_http_client *hf_http_client_new(HF_UNUSED struct hf_loop *loop, HF_UNUSED const struct hf_http_config *config,
                                          HF_UNUSED struct hf_err *err)
{
    static struct hf_http_client client = {{.start = start, .cancel = cancel, .pause = pause_call}};

    return &client;
}

void hf_http_client_free(HF_UNUSED struct hf_http_client *client)
{
}

const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client)
{
    return &client->ops;
}

struct hf_http_traffic hf_http_client_traffic(HF_UNUSED const struct hf_http_client *client)
{
    return (struct hf_http_traffic){.sent_bytes = 0};
}

void hf_http_client_drop_connections(HF_UNUSED struct hf_http_client *client)
{
}

int hf_http_client_update(HF_UNUSED struct hf_http_client *client, HF_UNUSED const struct hf_http_config *config,
                          HF_UNUSED struct hf_err *err)
{
    return 0;
}

/* ---- the certificate in use: there is none ----------------------------------------------------------------------- */

struct hf_identity {
    char none;
};

struct hf_identity *hf_identity_new(HF_UNUSED const struct hf_clock_ops *clock)
{
    static struct hf_identity identity;

    return &identity;
}

void hf_identity_free(HF_UNUSED struct hf_identity *identity)
{
}

int hf_identity_set(HF_UNUSED struct hf_identity *identity, HF_UNUSED const char *certificate_pem,
                    HF_UNUSED const char *key_pem, HF_UNUSED struct hf_err *err)
{
    return 0;
}

int hf_identity_pair(HF_UNUSED const struct hf_identity *identity, HF_UNUSED const char **ret_certificate_pem,
                     HF_UNUSED const char **ret_key_pem, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_HTTPS, err);
    return -EACCES;
}

int hf_identity_token(HF_UNUSED struct hf_identity *identity, HF_UNUSED const char *origin,
                      HF_UNUSED const char **ret_token, struct hf_err *err)
{
    return hf_identity_pair(NULL, NULL, NULL, err);
}

int hf_tpm_key_provide(HF_UNUSED const char *program, HF_UNUSED const char *tcti)
{
    return 0;
}

/* ---- tokens of registries: nothing asks for one ------------------------------------------------------------------ */

int hf_oci_token_ask(HF_UNUSED const char *registry, HF_UNUSED const char *repository, HF_UNUSED const char *challenge,
                     HF_UNUSED struct hf_oci_token_ask *ret, HF_UNUSED struct hf_err *err)
{
    return 0;
}

const char *hf_oci_token_credential(HF_UNUSED const struct hf_oci_token_ask *ask, HF_UNUSED const char *line)
{
    return NULL;
}

int hf_oci_token_take(HF_UNUSED const struct hf_http_response *response, HF_UNUSED struct hf_view body,
                      HF_UNUSED char **ret_line, HF_UNUSED uint64_t *ret_seconds, HF_UNUSED struct hf_err *err)
{
    return -EACCES;
}
