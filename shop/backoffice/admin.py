from django.contrib import admin


class BackofficeSite(admin.AdminSite):
    site_header = "Say When: the back office"
    site_title = "Say When"
    index_title = "Today"
    enable_nav_sidebar = True


site = admin.site
