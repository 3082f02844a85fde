// SPDX-License-Identifier: GPL-2.0
/*
 * Makes SMCs on request and says what it got: the caller's own account of the calls that a recording is held against.
 *
 *   echo "c4000150 20000" > /sys/module/smcgen/parameters/smc12     arm_smccc_1_2_smc, x0..x17
 *   echo "84000050" > /sys/module/smcgen/parameters/smc11           __arm_smccc_smc, x0..x7, results x0..x3
 *   echo "43500000 7" > /sys/module/smcgen/parameters/smc_inline      an SMC that is not in a stub, x1 and x2
 *   echo "10840000 100400000001..." > /sys/module/smcgen/parameters/doe
 *                                 one DOE request and its response, in hex, through a function like pci_doe()
 *   echo "10840000 100400000001..." > /sys/module/smcgen/parameters/tsm_doe     the same through one like pci_tsm_doe_transfer()
 *
 * The kernel log then has a line "smcgen: smc12 cpu 0 in c4000150 20000 ... out ffffffffffffffff ...".
 */
#include <linux/arm-smccc.h>
#if __has_include(<linux/hex.h>)
#include <linux/hex.h>
#endif
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/smp.h>

static int parse(const char *text, unsigned long *x, int most)
{
	int n = 0, used;

	while (n < most && sscanf(text, " %lx%n", &x[n], &used) == 1) {
		text += used;
		n++;
	}
	return n ? 0 : -EINVAL;
}

static int smc12_set(const char *text, const struct kernel_param *kp)
{
	struct arm_smccc_1_2_regs in = {}, out = {};
	int cpu, err = parse(text, &in.a0, 18);

	if (err)
		return err;
	cpu = get_cpu();
	arm_smccc_1_2_smc(&in, &out);
	put_cpu();
	pr_info("smcgen: smc12 cpu %d in %lx %lx %lx %lx %lx %lx %lx %lx %lx %lx out %lx %lx %lx %lx %lx %lx %lx %lx %lx %lx\n", cpu,
		in.a0, in.a1, in.a2, in.a3, in.a4, in.a5, in.a6, in.a7, in.a8, in.a9,
		out.a0, out.a1, out.a2, out.a3, out.a4, out.a5, out.a6, out.a7, out.a8, out.a9);
	return 0;
}

static int smc11_set(const char *text, const struct kernel_param *kp)
{
	struct arm_smccc_res out = {};
	unsigned long x[8] = {};
	int cpu, err = parse(text, x, 8);

	if (err)
		return err;
	cpu = get_cpu();
	arm_smccc_smc(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], &out);
	put_cpu();
	pr_info("smcgen: smc11 cpu %d in %lx %lx %lx %lx %lx %lx %lx %lx out %lx %lx %lx %lx\n", cpu,
		x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], out.a0, out.a1, out.a2, out.a3);
	return 0;
}

/* An SMC without a stub, as drivers make it that call arm_smccc_1_1_invoke(). */
static noinline int smcgen_rmi_inline(unsigned long x1, unsigned long x2)
{
	struct arm_smccc_res out;

	arm_smccc_1_1_smc(0xc4000178, x1, x2, &out);	/* RMI_PDEV_GET_STATE's number in 1.1-alp17 */
	return (int)out.a0;
}

static int inline_set(const char *text, const struct kernel_param *kp)
{
	unsigned long x[2] = {};
	int err = parse(text, x, 2);

	if (err)
		return err;
	pr_info("smcgen: inline got %d\n", smcgen_rmi_inline(x[0], x[1]));
	return 0;
}

static const struct kernel_param_ops inline_ops = { .set = inline_set };
module_param_cb(smc_inline, &inline_ops, NULL, 0200);

/* As pci_doe() has its arguments; what a driver would carry SPDM with. */
noinline __attribute__((noclone)) int smcgen_doe(void *mb, u16 vendor, u8 type, const void *req, size_t req_len, void *rsp,
						 size_t rsp_len);
int smcgen_doe(void *mb, u16 vendor, u8 type, const void *req, size_t req_len, void *rsp, size_t rsp_len)
{
	memcpy(rsp, mb, rsp_len);
	barrier();
	return rsp_len;
}

/* The TSM's function (include/linux/pci-tsm.h of 6.19 on); kernels without CONFIG_PCI_TSM have none. */
struct pci_dev;
noinline __attribute__((noclone)) int pci_tsm_doe_transfer(struct pci_dev *pdev, u8 type, const void *req, size_t req_sz,
							   void *resp, size_t resp_sz);
int pci_tsm_doe_transfer(struct pci_dev *pdev, u8 type, const void *req, size_t req_sz, void *resp, size_t resp_sz)
{
	memcpy(resp, pdev, resp_sz);
	barrier();
	return resp_sz;
}

static int doe_set(const char *text, const struct kernel_param *kp)
{
	static u8 req[2048], answer[2048], rsp[2048];
	size_t req_len = strcspn(text, " ") / 2, rsp_len;
	int got;

	if (req_len > sizeof(req) || hex2bin(req, text, req_len) || text[2 * req_len] != ' ')
		return -EINVAL;
	text += 2 * req_len + 1;
	rsp_len = strcspn(text, "\n") / 2;
	if (rsp_len > sizeof(answer) || hex2bin(answer, text, rsp_len))
		return -EINVAL;
	if (kp->arg)
		got = pci_tsm_doe_transfer((struct pci_dev *)answer, 1, req, req_len, rsp, rsp_len);
	else
		got = smcgen_doe(answer, 1, 1, req, req_len, rsp, rsp_len);
	pr_info("smcgen: doe request %zu response %d\n", req_len, got);
	return 0;
}

static const struct kernel_param_ops smc12_ops = { .set = smc12_set };
static const struct kernel_param_ops smc11_ops = { .set = smc11_set };
module_param_cb(smc12, &smc12_ops, NULL, 0200);
static const struct kernel_param_ops doe_ops = { .set = doe_set };
module_param_cb(doe, &doe_ops, NULL, 0200);
module_param_cb(tsm_doe, &doe_ops, &doe_ops, 0200);
module_param_cb(smc11, &smc11_ops, NULL, 0200);

MODULE_DESCRIPTION("SMCs on request");
MODULE_LICENSE("GPL");
