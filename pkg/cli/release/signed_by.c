/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/release/signed_by.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/encoding/base64.h"
#include "base/encoding/cut.h"
#include "cli/release/keyfile.h"
#include "trust/key.h"

enum { LEAST_LEAP = 1000 };

/* Sets *ret_signed if one signature of the release verifies with the key in this file. */
static int is_signed_by(struct hf_cli *cli, const struct hf_edgeupdate *update, const char *file,
                        struct hf_view message, bool *ret_signed, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    unsigned char signature[HF_ED25519_SIGNATURE];
    int r = hf_cli_key_read_public(cli, file, &pem, err);

    for (size_t i = 0; r == 0 && i < update->n_signatures; i++) {
        _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(128);
        if (hf_base64_decode(hf_view_of(update->signatures[i].signature), &bytes) < 0 || bytes.n != sizeof(signature))
            continue;
        memcpy(signature, bytes.p, sizeof(signature));
        if (hf_trust_verify(hf_buf_str(&pem), message, signature, NULL) == 0)
            *ret_signed = true;
    }
    return r;
}

int hf_cli_check_signed(struct hf_cli *cli, const struct hf_cli_args *args, const struct hf_edgeupdate *update,
                        const char *what, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    const char *option = hf_cli_count(args, "trusted") > 0 ? "trusted" : "key", *file;
    bool is_signed = false;
    int r = hf_json_canonical(update->release.json, &message, err);

    for (size_t i = 0; r == 0 && (file = hf_cli_nth_value(args, option, i)) != NULL; i++)
        r = is_signed_by(cli, update, file, hf_buf_view(&message), &is_signed, err);
    if (r == 0 && !is_signed)
        r = hf_err_set(err, EKEYREJECTED,
                       "%s has no valid signature of --%s: it is not the release that was signed; if another key "
                       "signed it, name its public half with --trusted",
                       HF_CUT(120, what), option);
    return r;
}

int hf_cli_check_leap(const struct hf_cli_args *args, uint64_t sequence, uint64_t before, struct hf_err *err)
{
    if (sequence <= 2 * before + LEAST_LEAP || hf_cli_flag(args, "leap"))
        return 0;
    return hf_err_set(
        err, EINVAL,
        "--sequence: %llu is far above %llu of the release before, and nodes never go back to a lower one: "
        "add --leap if it is meant",
        (unsigned long long)sequence, (unsigned long long)before);
}
