/* SPDX-License-Identifier: Apache-2.0 */
/* Why the node cannot reach its source of desired state. Names are API: EdgeNode.status.contact.reason, condition
 * SourceReadable, metric holdfast_contact_lost. */
#pragma once

#include "base/err.h"

/* X(enumerator, "name", "what to do") */
#define HF_CONTACT_REASONS(X)                                                                                          \
    X(DNS_FAILED, "DnsFailed", "check the name of the server and the DNS servers of this node")                        \
    X(CONNECTION_REFUSED, "ConnectionRefused",                                                                         \
      "the machine is there and nothing listens on the port: check the server, its port and the firewall")             \
    X(NO_ROUTE, "NoRoute", "this node has no route to the server: check its interface, address and default route")     \
    X(TIMEOUT, "Timeout", "nothing answers: check the link and the firewalls on the way")                              \
    X(CONNECTION_BROKEN, "ConnectionBroken",                                                                           \
      "connections open and break: check the link, its MTU, and proxies and load balancers on the way")                \
    X(CERTIFICATE_REJECTED, "CertificateRejected",                                                                     \
      "check the certificate authority in the kubeconfig, the name in the server's certificate, and both clocks")      \
    X(CAPTIVE_PORTAL, "CaptivePortal",                                                                                 \
      "another machine answers in the server's place: log in to the network, or let the server's address through")     \
    X(PROXY_REFUSED, "ProxyRefused",                                                                                   \
      "the proxy does not connect to the server: check HTTPS_PROXY, its user and password, and NO_PROXY")              \
    X(ANSWERED_FROM_CACHE, "AnsweredFromCache",                                                                        \
      "a cache on this node, such as YurtHub, answers in the server's place: check its link to the server; or a "      \
      "gateway removes the header Audit-Id")                                                                           \
    X(UNAUTHORIZED, "Unauthorized", "the server does not accept the credential of this node: renew it")                \
    X(FORBIDDEN, "Forbidden", "the server knows this node and refuses the request: check RBAC and admission policies") \
    X(SERVER_ERROR, "ServerError", "the server is in reach and does not serve the request: see its log")

enum hf_contact_reason {
    HF_CONTACT_REASON_NONE,
#define HF_CONTACT_REASON_ROW(enumerator, name, remedy) HF_CONTACT_REASON_##enumerator,
    HF_CONTACT_REASONS(HF_CONTACT_REASON_ROW)
#undef HF_CONTACT_REASON_ROW
        HF_CONTACT_REASON_COUNT
};

const char *hf_contact_reason_name(enum hf_contact_reason reason);
const char *hf_contact_reason_remedy(enum hf_contact_reason reason);

/* `err`: an error of pkg/kube after lost contact, with a code of loop/http/http.h or hf_kube_status_errno(). Other
 * codes: SERVER_ERROR. */
enum hf_contact_reason hf_contact_reason_of(const struct hf_err *err);
