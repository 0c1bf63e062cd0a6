/* exported grafana_link */
// The icon beside each host and service that leads to its graphs. Thruk fills in the location, a custom variable of the host,
// when the link is used.
function grafana_link(data) {
  return {
    icon: "fa-chart-line",
    title: "Graphs in Grafana",
    action:
      "/grafana/d/host/host?var-location=$_HOSTlocation$&var-host=" +
      grafana_name(data.host) +
      (data.service ? "&var-service=" + grafana_name(data.service) : ""),
    target: "_blank",
  };
}

// As Icinga writes names in Graphite's paths.
function grafana_name(name) {
  return encodeURIComponent(name.replace(/[ ./\\]/g, "_"));
}
