/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/contact_reason.h"

#include <errno.h>
#include <stddef.h>

static const struct {
    const char *name, *remedy;
} texts[] = {[HF_CONTACT_REASON_NONE] = {NULL, ""},
#define HF_CONTACT_REASON_ROW(enumerator, name, remedy) [HF_CONTACT_REASON_##enumerator] = {name, remedy},
             HF_CONTACT_REASONS(HF_CONTACT_REASON_ROW)
#undef HF_CONTACT_REASON_ROW
};

const char *hf_contact_reason_name(enum hf_contact_reason reason)
{
    return texts[reason].name;
}

const char *hf_contact_reason_remedy(enum hf_contact_reason reason)
{
    return texts[reason].remedy;
}

static const struct {
    int code;
    enum hf_contact_reason reason;
} codes[] = {
    {EDESTADDRREQ, HF_CONTACT_REASON_DNS_FAILED},
    {ECONNREFUSED, HF_CONTACT_REASON_CONNECTION_REFUSED},
    {EHOSTUNREACH, HF_CONTACT_REASON_NO_ROUTE},
    {ENETUNREACH, HF_CONTACT_REASON_NO_ROUTE},
    {ENETDOWN, HF_CONTACT_REASON_NO_ROUTE},
    {ETIMEDOUT, HF_CONTACT_REASON_TIMEOUT},
    {EPIPE, HF_CONTACT_REASON_CONNECTION_BROKEN},
    {ECONNRESET, HF_CONTACT_REASON_CONNECTION_BROKEN},
    {EPROTO, HF_CONTACT_REASON_CONNECTION_BROKEN},
    {EKEYREJECTED, HF_CONTACT_REASON_CERTIFICATE_REJECTED},
    {EREMCHG, HF_CONTACT_REASON_CAPTIVE_PORTAL},
    {ECONNABORTED, HF_CONTACT_REASON_PROXY_REFUSED},
    {ENOLINK, HF_CONTACT_REASON_ANSWERED_FROM_CACHE},
    {EPERM, HF_CONTACT_REASON_UNAUTHORIZED},
    {EACCES, HF_CONTACT_REASON_FORBIDDEN},
};

enum hf_contact_reason hf_contact_reason_of(const struct hf_err *err)
{
    for (size_t i = 0; i < HF_LEN(codes); i++)
        if (codes[i].code == err->code)
            return codes[i].reason;
    return HF_CONTACT_REASON_SERVER_ERROR; /* it answered: EBUSY, ENOENT, EBADMSG, E2BIG, ... */
}
