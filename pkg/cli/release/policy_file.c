/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/release/policy_file.h"

#include <errno.h>
#include <string.h>

#include "api/syncpolicy.h"
#include "base/parse.h"

int hf_cli_policy_read(struct hf_cli *cli, const char *path, json_t **ret_policy, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *array = NULL;
    int r = hf_cli_read_objects(cli, path, &array, NULL, err);

    if (r < 0)
        return r;
    json_t *object = json_array_get(array, 0);
    if (json_array_size(array) != 1 || strcmp(hf_json_str_or(object, "kind", ""), "SyncPolicy") != 0)
        return hf_err_set(err, EBADMSG, "%s: expected one SyncPolicy", path);
    *ret_policy = json_incref(object);
    return 0;
}

int hf_cli_policy_sequence(const struct hf_cli_args *args, uint64_t *ret_sequence, struct hf_err *err)
{
    const char *text = hf_cli_value(args, "sequence", NULL);

    *ret_sequence = 0;
    if (text != NULL && hf_parse_u64(text, 1, (UINT64_C(1) << 53) - 1, ret_sequence) < 0)
        return hf_err_set(err, EINVAL, "--sequence '%.40s': expected 1 to 9007199254740991", text);
    return 0;
}

int hf_cli_policy_check(struct hf_cli *cli, const char *path, json_t *json, struct hf_err *err)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    int r = issues != NULL ? hf_syncpolicy_decode(json, &policy, issues) : -ENOMEM;

    if (r == -ENOMEM)
        return hf_err_set(err, ENOMEM, "out of memory");
    hf_cli_print_issues(cli, path, issues);
    if (issues->n_errors + issues->n_warnings > 0)
        return hf_err_set(err, EBADMSG, "%s: not signed: correct it first", path);
    return 0;
}

int hf_cli_policy_write(struct hf_cli *cli, const char *target, const json_t *policy, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    _cleanup_(hf_cli_out_done) struct hf_cli_out out = HF_CLI_OUT_INIT;

    if (hf_yaml_format(policy, &text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_cli_out_open(cli, target, 0644, &out, err);
    if (r == 0)
        r = hf_cli_out_write(&out, text.p, text.n, err);
    return r == 0 ? hf_cli_out_commit(&out, err) : r;
}

void hf_cli_policy_print_signers(struct hf_cli *cli, const char *target, const json_t *signatures)
{
    for (size_t i = 0; i < json_array_size(signatures); i++)
        (void)fprintf(strcmp(target, "-") == 0 ? cli->err : cli->out, "signed by %s\n",
                      hf_json_str_or(json_array_get(signatures, i), "keyId", ""));
}
