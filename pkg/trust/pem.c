/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/pem.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Describes the content of a file that is not the expected key, by its PEM label. Mixing up the halves of a pair is
 * the usual mistake. */
static const char *found_in(const char *pem)
{
    static const struct {
        const char *mark, *what;
    } kinds[] = {
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----", "a private key with a password"},
        {"Proc-Type: 4,ENCRYPTED", "a private key with a password"},
        {"PRIVATE KEY-----", "a private key"},
        {"-----BEGIN PUBLIC KEY-----", "a public key"},
        {"-----BEGIN CERTIFICATE-----", "a certificate"},
        {"ssh-ed25519 ", "a public key in the format of OpenSSH"},
    };

    for (size_t i = 0; i < HF_LEN(kinds); i++)
        if (strstr(pem, kinds[i].mark) != NULL)
            return kinds[i].what;
    return pem[0] == '\0' ? "nothing" : "text that is not PEM";
}

int hf_trust_pem_refuse(struct hf_err *err, const char *pem, const char *expected)
{
    const char *found = found_in(pem);
    bool same = strncmp(found, expected, strlen(found)) == 0;

    return hf_err_set(err, EBADMSG, "holds %s%s; %s is expected", found,
                      same ? " that is damaged or not of ed25519" : "", expected);
}
