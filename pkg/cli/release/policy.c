/* SPDX-License-Identifier: Apache-2.0 */
/* policy sign. */
#include <errno.h>

#include "cli/release/policy_file.h"
#include "cli/release/sign.h"

const struct hf_cli_option hf_cli_policy_sign_options[] = {
    HF_CLI_OPTION("key", "FILE", "private key (NAME.key)", .required = true, .repeats = true),
    HF_CLI_OPTION("key-id", "ID", "name of the public key in the nodes' trust folders (NAME); one per --key, in order",
                  .repeats = true),
    HF_CLI_OPTION("sequence", "N", "write this spec.sequence first; removes signatures for another one"),
    HF_CLI_OPTION("out", "FILE", "output file; '-': standard output (default: FILE itself)", .letter = 'o'),
    {.name = NULL},
};

static int put_sequence(const struct hf_cli_args *args, json_t *policy, struct hf_err *err)
{
    uint64_t sequence;
    int r = hf_cli_policy_sequence(args, &sequence, err);

    if (r < 0 || sequence == 0 || hf_json_int_or(policy, "spec.sequence", 0) == (int64_t)sequence)
        return r;
    json_t *spec = json_object_get(policy, "spec");
    (void)json_object_del(spec, "signatures"); /* they cover the old sequence */
    return hf_cli_put(policy, "spec.sequence", json_integer((json_int_t)sequence), err);
}

int hf_cli_policy_sign(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *path = args->words[0], *target = hf_cli_value(args, "out", path);
    _cleanup_(hf_json_freep) json_t *policy = NULL;
    int r = hf_cli_policy_read(cli, path, &policy, err);

    if (r == 0)
        r = put_sequence(args, policy, err);
    if (r == 0)
        r = hf_cli_policy_check(cli, path, policy, err);
    if (r == 0 && hf_json_int_or(policy, "spec.sequence", 0) <= 0)
        r = hf_err_set(err, EBADMSG, "%s: spec.sequence is missing: give --sequence N", path);
    if (r == 0)
        r = hf_cli_sign_policy_all(cli, args, policy, err);
    if (r == 0)
        r = hf_cli_policy_write(cli, target, policy, err);
    if (r < 0)
        return r;
    hf_cli_policy_print_signers(cli, target, hf_json_at(policy, "spec.signatures"));
    return 0;
}
