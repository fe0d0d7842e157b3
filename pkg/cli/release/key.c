/* SPDX-License-Identifier: Apache-2.0 */
/* key generate, key public. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "cli/release/keyfile.h"
#include "trust/key.h"

const struct hf_cli_option hf_cli_key_generate_options[] = {
    HF_CLI_OPTION("public", "FILE", "file for the public half (NAME.pem)"),
    HF_CLI_JSON("print the result as JSON"),
    {.name = NULL},
};
const struct hf_cli_option hf_cli_key_public_options[] = {{.name = NULL}};

/* An overwritten key would mean a visit to every node. */
static int refuse_existing(const char *path, struct hf_err *err)
{
    struct stat st;

    if (strcmp(path, "-") != 0 && lstat(path, &st) == 0)
        return hf_err_set(err, EEXIST, "'%s' exists already; it will not be overwritten", path);
    return 0;
}

/* Opens both files before either gets its name: half a pair would be in the way of the next try. */
static int write_pair(struct hf_cli *cli, const struct hf_cli_pair *pair, const struct hf_buf *private_pem,
                      const struct hf_buf *public_pem, struct hf_err *err)
{
    _cleanup_(hf_cli_out_done) struct hf_cli_out private_out = HF_CLI_OUT_INIT, public_out = HF_CLI_OUT_INIT;
    int r = hf_cli_out_open(cli, pair->private_file, 0600, &private_out, err);

    if (r == 0)
        r = hf_cli_out_open(cli, pair->public_file, 0644, &public_out, err);
    if (r == 0)
        r = hf_cli_out_write(&public_out, public_pem->p, public_pem->n, err);
    if (r == 0)
        r = hf_cli_out_write(&private_out, private_pem->p, private_pem->n, err);
    if (r == 0)
        r = hf_cli_out_commit(&private_out, err);
    return r == 0 ? hf_cli_out_commit(&public_out, err) : r;
}

/* Returns true if one half goes to standard output, which then carries nothing else. */
static bool is_piped(const struct hf_cli_pair *pair)
{
    return strcmp(pair->private_file, "-") == 0 || strcmp(pair->public_file, "-") == 0;
}

static int print_pair(struct hf_cli *cli, bool json, const struct hf_cli_pair *pair, struct hf_err *err)
{
    FILE *to = is_piped(pair) ? cli->err : cli->out;

    if (json) {
        _cleanup_(hf_json_freep) json_t *answer =
            json_pack("{s:s, s:o, s:o}", "keyId", pair->key_id, "privateKey", hf_cli_json_text(pair->private_file),
                      "publicKey", hf_cli_json_text(pair->public_file));
        return answer != NULL ? hf_cli_print_json(cli, answer, err) : hf_err_set(err, ENOMEM, "out of memory");
    }
    (void)fprintf(to, "%s: private key: sign with it, keep it secret, keep a copy\n", pair->private_file);
    (void)fprintf(to, "%s: public key, key id %s\n", pair->public_file, pair->key_id);
    (void)fprintf(to,
                  "next, on every node (one without keys gets it by the chart's firstInstall.trustedKeys):\n  sudo "
                  "install -D -m 0644 %s " HF_CLI_DEFAULT_TRUST_DIR "/%s.pem\n",
                  pair->public_file, pair->key_id);
    return 0;
}

int hf_cli_key_generate(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_buf_wipe) struct hf_buf private_pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    _cleanup_(hf_buf_done) struct hf_buf public_pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    _cleanup_(hf_cli_pair_done) struct hf_cli_pair pair = {.private_file = NULL};
    int r = hf_cli_pair_named(args->words[0], hf_cli_value(args, "public", NULL), &pair, err);
    bool json = hf_cli_flag(args, "json");

    if (r == 0 && json && is_piped(&pair))
        r = hf_err_set(err, EINVAL, "--json and '-' both mean standard output");
    if (r == 0)
        r = refuse_existing(pair.private_file, err);
    if (r == 0)
        r = refuse_existing(pair.public_file, err);
    if (r == 0)
        r = hf_trust_generate(&private_pem, &public_pem, err);
    if (r == 0)
        r = write_pair(cli, &pair, &private_pem, &public_pem, err);
    return r == 0 ? print_pair(cli, json, &pair, err) : r;
}

int hf_cli_key_public(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_buf_wipe) struct hf_buf private_pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    _cleanup_(hf_buf_done) struct hf_buf public_pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    int r = hf_cli_key_read_private(cli, args->words[0], &private_pem, err);

    if (r < 0)
        return r;
    r = hf_trust_public_of(hf_buf_str(&private_pem), &public_pem, err);
    if (r < 0)
        return hf_err_wrap(err, r, "key '%s'", args->words[0]);
    (void)fprintf(cli->out, "%s", hf_buf_str(&public_pem));
    return 0;
}
