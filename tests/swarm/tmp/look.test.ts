import { readFileSync } from "node:fs";
import { Browser } from "../../browser";
jest.setTimeout(300000);
test("look", async () => {
  process.env["SCREENSHOTS"] = "/tmp/shots";
  const bed = JSON.parse(readFileSync("/tmp/bed.json", "utf8"));
  const password = readFileSync(bed.folder + "/.local/admin-password", "utf8").trim();
  const browser = await Browser.start(`https://${bed.address}:8443`);
  const v = await browser.visitor();
  await v.open("/"); await v.picture("login");
  await v.login("admin", password); await new Promise(r => setTimeout(r, 1500)); await v.picture("start");
  for (const [n, p] of [["thruk","/thruk/cgi-bin/status.cgi?hostgroup=all&style=hostdetail"],["thruk-services","/thruk/cgi-bin/status.cgi?host=all"],["nagvis","/nagvis/"],["nagvis-overview","/nagvis/frontend/nagvis-js/index.php?mod=Map&act=view&show=overview"],["nagvis-world","/nagvis/frontend/nagvis-js/index.php?mod=Map&act=view&show=world"],["nagvis-frankfurt","/nagvis/frontend/nagvis-js/index.php?mod=Map&act=view&show=location-frankfurt"],["grafana","/grafana/"],["grafana-host","/grafana/d/host/host?var-location=frankfurt&var-host=frankfurt-local"],["grafana-locations","/grafana/d/locations/locations"],["grafana-monitoring","/grafana/d/monitoring/monitoring"]] as const) {
    const s = await v.open(p); await new Promise(r => setTimeout(r, 3000)); await v.picture(n);
    console.log(n, s, v.page.url(), (await v.text()).slice(0, 400).replace(/\s+/g, " "));
  }
  const phone = await browser.visitor("phone"); await phone.open("/"); await phone.picture("login-phone"); await phone.login("admin", password); await new Promise(r => setTimeout(r, 1500)); await phone.picture("start-phone");
  await browser.stop();
});
