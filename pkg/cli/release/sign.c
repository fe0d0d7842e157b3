/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/release/sign.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/encoding/base64.h"
#include "base/format.h"
#include "cli/release/keyfile.h"
#include "trust/key.h"
#include "trust/trust.h"

/* Signs, and verifies with the public half at once, so that no wrong signature leaves this machine. */
static int make_signature(const char *private_pem, struct hf_view message, struct hf_buf *base64, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf public_pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    unsigned char signature[HF_ED25519_SIGNATURE];
    int r = hf_trust_sign(private_pem, message, signature, err);

    if (r == 0)
        r = hf_trust_public_of(private_pem, &public_pem, err);
    if (r == 0)
        r = hf_trust_verify(hf_buf_str(&public_pem), message, signature, err);
    if (r == 0 && hf_base64_encode(signature, sizeof(signature), base64) < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    return r;
}

/* `path` is that of the list of signatures in the object. */
static int put_signature(json_t *object, const char *path, const char *key_id, const char *base64, struct hf_err *err)
{
    json_t *list = hf_json_mutable(hf_json_at(object, path));
    size_t i;

    if (!json_is_array(list)) {
        list = json_array();
        int r = hf_cli_put(object, path, list, err);
        if (r < 0)
            return r;
    }
    for (i = 0; i < json_array_size(list); i++)
        if (strcmp(hf_json_str_or(json_array_get(list, i), "keyId", ""), key_id) == 0)
            break;
    json_t *entry = json_pack("{s:s, s:s}", "keyId", key_id, "signature", base64);
    if (i < json_array_size(list))
        return json_array_set_new(list, i, entry) < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
    return hf_cli_append(list, entry, err);
}

/* Signs `message` with the key in a file, and adds the signature to the list at `path` of `object`. */
static int sign_message(struct hf_cli *cli, json_t *object, const char *path, struct hf_view message,
                        const char *key_file, const char *key_id, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf base64 = HF_BUF_INIT(256);
    _cleanup_(hf_buf_wipe) struct hf_buf pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    char named[HF_KEY_ID_MAX + 1];
    int r;

    if (key_id == NULL) {
        r = hf_cli_key_id(key_file, named, err);
        if (r < 0)
            return hf_err_wrap(err, r, "--key-id is missing");
        key_id = named;
    }
    if (!hf_trust_key_id_valid(key_id))
        return hf_err_set(err, EINVAL, "key id '%.80s': lower case letters, digits, '-' and '.', at most %d", key_id,
                          HF_KEY_ID_MAX);
    r = hf_cli_key_read_private(cli, key_file, &pem, err);
    if (r < 0)
        return r;
    r = make_signature(hf_buf_str(&pem), message, &base64, err);
    if (r < 0)
        return hf_err_wrap(err, r, "sign with '%s'", key_file);
    return put_signature(object, path, key_id, hf_buf_str(&base64), err);
}

static int sign_update(struct hf_cli *cli, json_t *update, const char *key_file, const char *key_id, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);

    if (!json_is_object(hf_json_at(update, "spec.release")))
        return hf_err_set(err, EBADMSG, "spec.release is missing: nothing to sign");
    int r = hf_json_canonical(hf_json_at(update, "spec.release"), &message, err);
    if (r < 0)
        return hf_err_wrap(err, -EBADMSG, "spec.release");
    return sign_message(cli, update, "spec.signatures", hf_buf_view(&message), key_file, key_id, err);
}

static int sign_policy_with(struct hf_cli *cli, json_t *policy, const char *key_file, const char *key_id,
                            struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    int r = hf_trust_policy_message(policy, &message, err);

    if (r < 0)
        return hf_err_wrap(err, -EBADMSG, "spec");
    return sign_message(cli, policy, "spec.signatures", hf_buf_view(&message), key_file, key_id, err);
}

static int sign_manifest(struct hf_cli *cli, json_t *entry, const char *key_file, const char *key_id,
                         struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    int r = hf_trust_manifest_message(entry, &message, err);

    if (r < 0)
        return hf_err_wrap(err, -EBADMSG, "the entry");
    return sign_message(cli, entry, "signatures", hf_buf_view(&message), key_file, key_id, err);
}

/* Writes the time of the first signature into the release, before that signature covers it. Later signatures must not
 * change the release. */
static int put_signed_at(struct hf_cli *cli, json_t *update, struct hf_err *err)
{
    char when[HF_TIME_TEXT];

    if (hf_json_str(update, "spec.release.signedAt") != NULL ||
        json_array_size(hf_json_at(update, "spec.signatures")) > 0 ||
        !json_is_object(hf_json_at(update, "spec.release")))
        return 0;
    return hf_cli_put(update, "spec.release.signedAt",
                      json_string(hf_format_time(hf_unix_ns(cli->clock) / HF_NS_PER_S * HF_NS_PER_S, when)), err);
}

static int sign_with_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *object,
                         int (*sign)(struct hf_cli *cli, json_t *object, const char *key_file, const char *key_id,
                                     struct hf_err *err),
                         struct hf_err *err)
{
    size_t keys = hf_cli_count(args, "key"), ids = hf_cli_count(args, "key-id");
    int r = 0;

    if (ids != 0 && keys != ids)
        return hf_err_set(err, EINVAL, "%zu --key and %zu --key-id: give one --key-id for each --key, or none at all",
                          keys, ids);
    for (size_t i = 0; r == 0 && i < keys; i++)
        r = sign(cli, object, hf_cli_nth_value(args, "key", i), hf_cli_nth_value(args, "key-id", i), err);
    return r;
}

int hf_cli_sign_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *update, struct hf_err *err)
{
    int r = hf_cli_count(args, "key") > 0 ? put_signed_at(cli, update, err) : 0;

    return r < 0 ? r : sign_with_all(cli, args, update, sign_update, err);
}

int hf_cli_sign_policy_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *policy, struct hf_err *err)
{
    return sign_with_all(cli, args, policy, sign_policy_with, err);
}

int hf_cli_sign_manifest_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *entry, struct hf_err *err)
{
    return sign_with_all(cli, args, entry, sign_manifest, err);
}
