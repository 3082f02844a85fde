// SPDX-License-Identifier: GPL-2.0
/*
 * Connects a PCIe device with the RMM as a CCA host driver does, by the RMI calls of ABI 2.0 (DEN0137 2.0-bet3), until it is
 * READY (or in ERROR), and disconnects it. For an RMM that speaks 2.0, and a device with a DOE mailbox for SPDM.
 *
 *   echo "0000:01:00.0 4010000000" > /sys/module/pdevgen/parameters/connect      the device, the base address of its ECAM
 *   echo > /sys/module/pdevgen/parameters/disconnect
 *
 * What was donated stays the RMM's when something fails in between.
 */
#include <linux/arm-smccc.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci-doe.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define RMI(n)			(0xc4000150 + (n))
#define RMI_VERSION		RMI(0x00)
#define RMI_FEATURES		RMI(0x15)
#define RMI_RMM_CONFIG_SET	RMI(0x1e)
#define RMI_PDEV_COMMUNICATE	RMI(0x25)
#define RMI_PDEV_CREATE		RMI(0x26)
#define RMI_PDEV_DESTROY	RMI(0x27)
#define RMI_PDEV_GET_STATE	RMI(0x28)
#define RMI_PDEV_SET_PUBKEY	RMI(0x2b)
#define RMI_PDEV_STOP		RMI(0x2c)
#define RMI_RMM_CONFIG_GET	RMI(0x9c)
#define RMI_RANGE_DELEGATE	RMI(0xa1)
#define RMI_RANGE_UNDELEGATE	RMI(0xa2)
#define RMI_RMM_ACTIVATE	RMI(0xb2)
#define RMI_OP_CONTINUE		RMI(0xb3)
#define RMI_OP_MEM_DONATE	RMI(0xb8)
#define RMI_OP_MEM_RECLAIM	RMI(0xb9)

enum { NEW, NEEDS_KEY, HAS_KEY, READY, STOPPED, ERROR };

#define INCOMPLETE	13		/* of x0: low byte the status, bits 8 and 9 what it asks for */
#define ASKS(x0)	((x0) >> 8 & 3)	/* 1: memory is to be donated, 2: to be reclaimed */
#define STATUS(x0)	((x0) & 0xff)

#define FLAGS		3		/* of RmiPdevParams: speaks SPDM, an endpoint that is off-chip */
#define SHA_256		0
#define ECDSA_P384	2
#define POINT_P384	97		/* 04, x, y */

struct dev_comm {			/* RmiDevCommData */
	u64 status, req, rsp, rsp_len;
	u8 pad0[0x800 - 0x20];
	u64 flags, req_cache, req_cache_len, rsp_cache, rsp_cache_len, object, protocol, delay, req_len, timeout;
	u8 pad1[0x800 - 0x50];
};
#define RSP_CACHE	BIT(1)
#define REQ_SEND	BIT(2)
#define RSP_WAIT	BIT(3)
#define CERTIFICATE	1

static struct pci_dev *device;
static struct pci_doe_mb *mailbox[2];	/* by the protocol: SPDM, secured messages */
static u8 *page, *list, *comm_page, *request, *response, *pdev;
static u8 chain[8192];
static size_t chain_len;

static u64 rmi(u64 fid, u64 a1, u64 a2, u64 a3, u64 *out)
{
	struct arm_smccc_1_2_regs x = { .a0 = fid, .a1 = a1, .a2 = a2, .a3 = a3 }, r = {};

	arm_smccc_1_2_smc(&x, &r);
	if (out) {
		out[0] = r.a1;
		out[1] = r.a2;
	}
	return r.a0;
}

static u64 granules(u64 fid, void *start, size_t size)
{
	u64 at = virt_to_phys(start), end = at + size, out[2], x0 = 0;

	while (at < end && !x0) {
		x0 = rmi(fid, at, end, 0, out);
		if (!x0 && out[0] <= at)
			return ~0ULL;
		at = out[0];
	}
	return x0;
}

/* Go on with an operation that has not come to its end: give what it asks for, take what it gives back. */
static u64 go_on(u64 x0, u64 *out)
{
	u64 *entries = (u64 *)list, handle = out[0], need = out[1];
	int tries, i, n;

	for (tries = 0; STATUS(x0) == INCOMPLETE && tries < 64; tries++) {
		if (ASKS(x0) == 1) {
			n = min_t(u64, need >> 2 & 0x3fff, 512);
			for (i = 0; i < n; i++) {
				void *p = (void *)get_zeroed_page(GFP_KERNEL);

				if (!p || granules(RMI_RANGE_DELEGATE, p, PAGE_SIZE))
					return ~0ULL;
				entries[i] = virt_to_phys(p) | 1 << 2;	/* one granule */
			}
			x0 = rmi(RMI_OP_MEM_DONATE, handle, virt_to_phys(list), n, out);
			need = out[1];
		} else if (ASKS(x0) == 2) {
			x0 = rmi(RMI_OP_MEM_RECLAIM, handle, virt_to_phys(list), 512, out);
			for (i = 0; i < min_t(u64, out[0], 512); i++) {
				void *p = phys_to_virt(entries[i] & GENMASK_ULL(51, 12));
				u64 size = (entries[i] >> 2 & 0x3ff) * PAGE_SIZE;	/* pages that lie side by side */

				for (; size && !granules(RMI_RANGE_UNDELEGATE, p, PAGE_SIZE); p += PAGE_SIZE, size -= PAGE_SIZE)
					free_page((unsigned long)p);
			}
		} else {
			x0 = rmi(RMI_OP_CONTINUE, handle, 0, 0, out);
			need = out[1];
		}
	}
	return x0;
}

static int state(void)
{
	u64 out[2], x0 = rmi(RMI_PDEV_GET_STATE, virt_to_phys(pdev), 0, 0, out);

	return x0 ? -EIO : (int)out[0];
}

/* RMI_PDEV_COMMUNICATE until the RMM wants nothing more of the device. */
static int communicate(void)
{
	struct dev_comm *c = (struct dev_comm *)comm_page;
	int n, got;

	memset(c, 0, sizeof(*c));
	c->req = virt_to_phys(request);
	c->rsp = virt_to_phys(response);
	for (n = 0; n < 200; n++) {
		if (rmi(RMI_PDEV_COMMUNICATE, virt_to_phys(pdev), virt_to_phys(c), 0, NULL))
			return -EIO;
		if (c->flags & RSP_CACHE && c->object == CERTIFICATE && c->rsp_cache < PAGE_SIZE &&
		    c->rsp_cache_len <= PAGE_SIZE - c->rsp_cache && chain_len + c->rsp_cache_len <= sizeof(chain)) {
			memcpy(chain + chain_len, response + c->rsp_cache, c->rsp_cache_len);
			chain_len += c->rsp_cache_len;
		}
		c->status = 0;
		c->rsp_len = 0;
		if (c->flags & REQ_SEND && c->req_len <= PAGE_SIZE && c->protocol < 2 && mailbox[c->protocol]) {
			got = pci_doe(mailbox[c->protocol], PCI_VENDOR_ID_PCI_SIG, 1 + c->protocol, request, round_up(c->req_len, 4),
				      response, PAGE_SIZE);
			c->status = got > 0 ? 1 : 2;	/* RESPONSE, ERROR */
			c->rsp_len = got > 0 ? got : 0;
		} else if (!(c->flags & (RSP_CACHE | RSP_WAIT | 1))) {
			return 0;
		}
	}
	return -ETIMEDOUT;
}

/* The device's own key is that of the last certificate of the chain: a bit string of 98 bytes (DER), a point of P-384. */
static int set_key(void)
{
	static const u8 begin[] = { 0x03, 0x62, 0x00, 0x04 };
	size_t i, at = 0;

	for (i = 0; i + 3 + POINT_P384 <= chain_len; i++)
		if (!memcmp(chain + i, begin, sizeof(begin)))
			at = i + 3;
	if (!at)
		return -ENOKEY;
	memset(page, 0, PAGE_SIZE);
	memcpy(page, chain + at, POINT_P384);
	*(u64 *)(page + 0x800) = POINT_P384;
	page[0x810] = ECDSA_P384;
	return rmi(RMI_PDEV_SET_PUBKEY, virt_to_phys(pdev), virt_to_phys(page), 0, NULL) ? -EIO : 0;
}

static u8 *a_page(void) { return (u8 *)get_zeroed_page(GFP_KERNEL); }

static int start(u64 ecam)
{
	u64 out[2], x0, *params;
	int i;

	if (rmi(RMI_VERSION, 2 << 16, 0, 0, out))
		return -EOPNOTSUPP;
	for (i = 0; i < 5; i++)
		rmi(RMI_FEATURES, i, 0, 0, out);
	rmi(RMI_RMM_CONFIG_GET, virt_to_phys(page), 0, 0, out);
	memset(page, 0, PAGE_SIZE);
	rmi(RMI_RMM_CONFIG_SET, virt_to_phys(page), 0, 0, out);	/* is refused where the RMM is active already */
	x0 = rmi(RMI_RMM_ACTIVATE, 0, 0, 0, out);
	go_on(x0, out);
	if (granules(RMI_RANGE_DELEGATE, pdev, PAGE_SIZE))
		return -EIO;
	params = (u64 *)page;
	params[0] = FLAGS;
	params[1] = ecam;
	params[2] = params[3] = params[5] = pci_dev_id(device);
	params[6] = pci_dev_id(device) + 1;
	page[0x38] = SHA_256;
	x0 = rmi(RMI_PDEV_CREATE, virt_to_phys(pdev), virt_to_phys(page), 0, out);
	return go_on(x0, out) ? -EIO : 0;
}

static int connect_set(const char *text, const struct kernel_param *kp)
{
	unsigned int domain, bus, slot, func;
	unsigned long long ecam;
	int err, now;

	if (sscanf(text, "%x:%x:%x.%x %llx", &domain, &bus, &slot, &func, &ecam) != 5)
		return -EINVAL;
	if (device)
		return -EBUSY;
	device = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, func));
	if (!device)
		return -ENODEV;
	mailbox[0] = pci_find_doe_mailbox(device, PCI_VENDOR_ID_PCI_SIG, PCI_DOE_FEATURE_CMA);
	mailbox[1] = pci_find_doe_mailbox(device, PCI_VENDOR_ID_PCI_SIG, PCI_DOE_FEATURE_SSESSION);
	page = a_page(), list = a_page(), comm_page = a_page(), request = a_page(), response = a_page(), pdev = a_page();
	if (!page || !list || !comm_page || !request || !response || !pdev)
		return -ENOMEM;
	chain_len = 0;
	err = start(ecam);
	if (!err)
		err = communicate();
	now = err ? err : state();
	if (now == NEEDS_KEY) {
		err = set_key();
		if (!err)
			err = communicate();
		now = err ? err : state();
	}
	pr_info("pdevgen: %s: %d, the state is %d (%d is READY, %d ERROR)\n", pci_name(device), err, now, READY, ERROR);
	return now == READY ? 0 : err ? err : -EPROTO;
}

static int disconnect_set(const char *text, const struct kernel_param *kp)
{
	u64 out[2], x0;

	if (!device)
		return -ENODEV;
	if (!rmi(RMI_PDEV_STOP, virt_to_phys(pdev), 0, 0, NULL))
		communicate();
	state();
	x0 = rmi(RMI_PDEV_DESTROY, virt_to_phys(pdev), 0, 0, out);
	x0 = go_on(x0, out);
	if (!x0)
		x0 = granules(RMI_RANGE_UNDELEGATE, pdev, PAGE_SIZE);
	pr_info("pdevgen: %s: disconnected with %llx\n", pci_name(device), x0);
	if (x0)
		return -EIO;
	pci_dev_put(device);
	device = NULL;
	return 0;
}

static const struct kernel_param_ops connect_ops = { .set = connect_set };
module_param_cb(connect, &connect_ops, NULL, 0200);
static const struct kernel_param_ops disconnect_ops = { .set = disconnect_set };
module_param_cb(disconnect, &disconnect_ops, NULL, 0200);

MODULE_DESCRIPTION("A device connect by RMI calls");
MODULE_LICENSE("GPL");
